"""`landstep host-test`, as typed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from landstep import host_testing
from landstep.__main__ import app
from landstep.emulator.errors import ConfigError, DependencyError, InputError
from landstep.fortran_shim.host_test import Check


def typed(*words: object) -> Result:
    return CliRunner().invoke(app, ["host-test", *map(str, words)])


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the checks were asked for; they answer at once, and no world is made."""
    seen: dict[str, Any] = {"answer": [Check("restart exact", True, "129 days")]}

    def check(test: object, world: Path, out: Path, **how: Any) -> list[Check]:
        seen.update(test=test, world=world, out=out, **how)
        return seen["answer"]

    monkeypatch.setattr(host_testing, "check_host", check)
    monkeypatch.setattr(host_testing, "make_world", lambda out, **_: out.mkdir(parents=True))
    return seen


def test_each_check_is_a_line(asked: dict[str, Any]) -> None:
    asked["answer"] = [
        Check("restart exact", True, "129 days"),
        Check("2 ranks", None, "no mpirun"),
    ]
    done = typed("speedy", "--fc", "gfortran-12", "--full")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-2:] == [
        "ok        restart exact: 129 days",
        "left out  2 ranks: no mpirun",
    ]
    assert (asked["test"].name, asked["compiler"], asked["full"]) == ("speedy", "gfortran-12", True)


def test_a_failed_check_is_the_exit_status(asked: dict[str, Any]) -> None:
    asked["answer"] = [Check("restart exact", False, "2017-09-14: vegh differ")]
    done = typed("speedy")
    assert done.exit_code == 1 and "FAILED    restart exact: 2017-09-14" in done.stdout


def test_what_ran_is_kept_where_asked(asked: dict[str, Any], tmp_path: Path) -> None:
    assert typed("speedy", "--keep", tmp_path / "kept").exit_code == 0
    assert asked["out"].parent == asked["world"].parent == tmp_path / "kept"
    done = typed("speedy", "--keep", tmp_path)
    assert isinstance(done.exception, InputError) and str(tmp_path) in str(done.exception)


def test_an_unknown_host_is_refused_with_those_there_are(asked: dict[str, Any]) -> None:
    done = typed("spedy")
    assert isinstance(done.exception, ConfigError) and "'speedy'" in str(done.exception)


def test_a_compiler_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DependencyError, match="no_such_fortran"):
        host_testing.try_host("speedy", compiler="no_such_fortran")
