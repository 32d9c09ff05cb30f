"""`active = false`: the host runs as if landstep were not there, with the same calls."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pytest

from landstep.coupling.coupler import Coupler
from landstep.coupling.switched_off import SwitchedOff
from landstep.emulator.errors import CouplingError
from landstep.emulator.ranks import Ranks


@pytest.fixture
def off(experiment: Path, tmp_path: Path) -> SwitchedOff:
    """A coupler of an experiment that is switched off, and whose model is not even there."""
    text = experiment.read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("model")]
    path = experiment.with_name("off.toml")
    path.write_text(
        'model = "nowhere.onnx"\n' + "\n".join(lines) + "\n[coupling]\nactive = false\n"
    )
    opened = Coupler.open(path, np.array([1.0, 2.0]), np.array([50.0, 51.0]), year=2015)
    assert isinstance(opened, SwitchedOff)
    return opened


def test_nothing_moves_and_nothing_is_written(off: SwitchedOff, tmp_path: Path) -> None:
    off.put("air_temperature", np.array([280.0, 281.0]))
    assert [off.update(year, 1, 1) for year in (2015, 2016, 2099)] == [False] * 3
    assert not off.changed("cvl") and off.describe("cvl", "units") == ""
    off.write_restart(tmp_path / "restart.nc")
    assert list(tmp_path.iterdir()) == []
    gain, loss = off.get_change("forest")
    assert gain.tolist() == loss.tolist() == [0.0, 0.0]
    assert off.get_transition("forest", "cropland").tolist() == [0.0, 0.0]


def test_a_baseline_comes_back_bit_for_bit_and_nothing_else_does(off: SwitchedOff) -> None:
    own = np.array([0.1, np.nextafter(0.2, 1)])
    off.baseline("cvl", own)
    off.baseline("albedo", np.ones((2, 12)))
    assert off.names() == ["albedo", "cvl"]
    assert np.array_equal(off.get("cvl"), own)
    assert np.array_equal(off.get_previous("cvl"), own)
    assert np.array_equal(off.get_maximum("cvl", 2100), own)
    assert np.array_equal(off.get("cvl", np.float32), own.astype(np.float32))
    months = np.arange(24.0).reshape(2, 12)
    off.baseline("lai", months)
    assert np.array_equal(off.get_monthly("lai"), months)
    for name in ("cvh", "cvl"):
        with pytest.raises(CouplingError, match=f"get_monthly '{name}': landstep is switched off"):
            off.get_monthly(name)
    mine = np.array([-0.0, np.nan], np.float32)
    assert off.add_change("anything", mine).tobytes() == mine.tobytes()
    for name in ("cvh", "albedo"):
        with pytest.raises(CouplingError, match=f"'{name}': landstep is switched off"):
            off.get(name)
    off.close()
    with pytest.raises(CouplingError, match="switched off"):
        off.get("cvl")


def test_it_gives_the_hosts_communicator_back(
    off: SwitchedOff, experiment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing would ever free it: `close` of what is off is no call of all ranks."""
    released: list[Ranks] = []
    monkeypatch.setattr(Ranks, "release", lambda ranks: released.append(ranks))
    for _ in range(2):
        Coupler.open(experiment.with_name("off.toml"), np.zeros(1), np.zeros(1), year=2015)
    assert len(released) == 2 and off.n == 2


def test_it_has_every_call_of_a_coupler() -> None:
    """So that no host needs a branch of its own."""

    def calls(of: type) -> dict[str, list[str]]:
        found = inspect.getmembers(of, inspect.isfunction)
        return {n: list(inspect.signature(f).parameters) for n, f in found if n[0] != "_"}

    mine, theirs = calls(SwitchedOff), calls(Coupler)
    assert mine == {name: theirs[name] for name in mine}
    assert set(theirs) == set(mine)
