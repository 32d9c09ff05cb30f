"""The conformance tests of hosts, and the pages whose code they compile."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from landstep.data.world import make_world
from landstep.emulator.errors import ConfigError, InputError
from landstep.fortran_shim import host_test_files
from landstep.fortran_shim.host_test import check_host
from landstep.fortran_shim.host_test_files import (
    host_test,
    host_test_names,
    page_code,
    with_code,
)
from landstep.fortran_shim.host_test_run import build_host_test

PAGES = Path(__file__).parents[2] / "docs" / "hosts"
SPEEDY = "speedy"
EARLY = "    if (run%restarted .and. record%month == 10) exit"
HOSTS = host_test_names()


@pytest.fixture(scope="module")
def globe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a made-up globe."""
    folder = tmp_path_factory.mktemp("globe")
    make_world(folder, seed=3, shape=(120, 240), globe=True)
    return folder


@pytest.mark.parametrize("host", HOSTS)
def test_a_page_holds_what_coupling_promises(
    host: str, globe: Path, tools: None, tmp_path: Path
) -> None:
    checks = check_host(host_test(host), globe, tmp_path)
    failed = [check.line for check in checks if check.passed is False]
    assert not failed, "\n".join(failed)
    names = {check.name for check in checks}
    assert {"reference year identical", "something moves", "restart exact"} <= names


@pytest.mark.parametrize("host", HOSTS)
def test_a_page_has_the_code_that_is_tested(host: str) -> None:
    page = PAGES / f"{host}.md"
    command = "python -m landstep.fortran_shim.host_test_files docs/hosts"
    assert page.read_text("utf-8") == with_code(page), (
        f"{page} is behind: renew it with `{command}`"
    )


@pytest.fixture
def changed_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Return a function that copies the tests' folder and changes SPEEDY's files: name -> texts."""

    def change(name: str, old: str, new: str) -> Path:
        folder = tmp_path / "host_tests"
        if not folder.exists():
            shutil.copytree(host_test_files.folder(), folder)
        path = folder / name
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), "utf-8")
        monkeypatch.setattr(host_test_files, "folder", lambda: folder)
        return path

    return change


def test_a_coupling_that_moves_the_reference_year_or_forgets_a_restart_is_seen(
    changed_host: Callable[..., Path], globe: Path, tools: None, tmp_path: Path
) -> None:
    changed_host("speedy.f90", 'baseline("alb", alb0', 'baseline("alb", 0.9*alb0')
    changed_host("speedy.f90", "restart=restart, ", "")
    checks = check_host(host_test(SPEEDY), globe, tmp_path / "runs")
    found = {check.name: check for check in checks}
    assert found["reference year identical"].passed is False
    assert "2015-01-01: alb0, alb_l differ" in found["reference year identical"].detail
    assert found["restart exact"].passed is False


def test_the_full_form_tries_what_a_user_may_set_or_miss(
    globe: Path, tools: None, tmp_path: Path
) -> None:
    test = replace(host_test("jsbach"), flags=(("-O1",),), ranks=1)
    checks = check_host(test, globe, tmp_path, full=True)
    assert not [check.line for check in checks if check.passed is False]
    found = {check.name: check.detail for check in checks}
    assert found.keys() >= {
        "reference year identical (-O1)",
        "active = false exact",
        "observe exact",
        "observe writes",
        "an error ends the host with its reason",
        "stub",
    }
    assert "landstep_fields_2016.nc" in found["observe writes"]
    assert "no_such_map.nc" in found["an error ends the host with its reason"]
    assert "not built in" in found["stub"]


def test_ranks_are_left_out_where_there_is_no_mpi(
    globe: Path, tools: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MPIFC", "no_such_mpif90")
    checks = check_host(host_test("jsbach"), globe, tmp_path)
    assert not [check.line for check in checks if check.passed is False]
    (left_out,) = [check for check in checks if check.passed is None]
    assert left_out.name == "2 ranks" and "no_such_mpif90" in left_out.detail


def test_a_coupling_that_does_nothing_is_seen(
    changed_host: Callable[..., Path], globe: Path, tools: None, tmp_path: Path
) -> None:
    changed_host("jsbach.f90", "if (.not. changed) return", "return")
    checks = check_host(replace(host_test("jsbach"), ranks=1), globe, tmp_path / "runs")
    (check,) = [check for check in checks if check.name == "something moves"]
    assert check.passed is False and "cover_fract at 0" in check.detail


def test_a_restarted_run_that_stops_early_is_seen(
    changed_host: Callable[..., Path], globe: Path, tools: None, tmp_path: Path
) -> None:
    changed_host("driver.f90", "call host_record(record)", "call host_record(record)\n" + EARLY)
    checks = check_host(replace(host_test("jsbach"), ranks=1), globe, tmp_path / "runs")
    found = {check.name: check for check in checks}
    assert found["restart exact"].passed is False
    assert "2017-10-02: LCC_coverFract_target, cover_fract differ" in found["restart exact"].detail


@pytest.mark.parametrize("host", ["noahmp", "speedy"])
@pytest.mark.parametrize("stub", [False, True], ids=["library", "stub"])
def test_without_an_experiment_in_its_folder_a_host_runs_as_without_landstep(
    host: str, stub: bool, tools: None, tmp_path: Path
) -> None:
    program = build_host_test(host_test(host), tmp_path / "program", flags=(), stub=stub)
    (tmp_path / "run.nml").write_text(
        "&run_of_host\n  first = 2015, 1, 1\n  last = 2015, 1, 3\n"
        "  coupled = .true.\n  restarted = .false.\n/\n",
        "utf-8",
    )
    done = subprocess.run([program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2015-01-03" in (tmp_path / "dates.0.txt").read_text("utf-8")


def test_code_that_does_not_compile_is_refused_with_the_compilers_words(
    changed_host: Callable[..., Path], globe: Path, tools: None, tmp_path: Path
) -> None:
    changed_host("speedy.f90", 'land%baseline("vegh", vegh', 'land%baselin("vegh", vegh')
    with pytest.raises(InputError, match=r"(?s)speedy: did not compile.*baselin"):
        check_host(host_test(SPEEDY), globe, tmp_path / "runs")


def test_a_host_without_a_test_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"'spedy'.*'speedy'"):
        host_test("spedy")


def test_a_wrong_directive_is_refused_with_its_line(changed_host: Callable[..., Path]) -> None:
    changed_host("speedy_standin.f90", "! host-test: flags = -Ofast", "! host-test: ranks = many")
    with pytest.raises(InputError, match=r"speedy_standin\.f90, line 2: .*ranks = many"):
        host_test(SPEEDY)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("! page: begin\n! page: begin\n", "line 2: '! page: begin'"),
        ("a = 1\n! page: end\n", "line 2: '! page: end'"),
        ("! page: begin\na = 1\n", "has no '! page: end'"),
    ],
)
def test_marks_that_do_not_match_are_refused(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "host.f90"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError, match=told):
        page_code(path)


def test_a_part_is_moved_to_the_left_edge(tmp_path: Path) -> None:
    path = tmp_path / "host.f90"
    path.write_text("x\n  ! page: begin\n  if (a) then\n    b = 1\n  end if\n  ! page: end\ny\n")
    assert page_code(path) == ["if (a) then\n  b = 1\nend if\n"]


def test_a_page_with_another_number_of_blocks_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "speedy.md"
    page.write_text("```fortran\ncall nothing()\n```\n", "utf-8")
    with pytest.raises(InputError, match=r"speedy\.md: 1 blocks ```fortran, expected 6"):
        with_code(page)
