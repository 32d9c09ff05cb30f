"""The record beside a run: moved fields that a new start takes for the host's own, row 103."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from landstep.coupling.baseline_record import checksums_of
from landstep.coupling.coupler import Coupler
from landstep.coupling.points import Points
from landstep.emulator.errors import CouplingError, InputError
from landstep.emulator.ranks import Ranks

FIRST = 2015
ALONE = Ranks()
Cells = dict[str, np.ndarray]


@pytest.fixture
def start(coupled: Callable[..., Path], cells: Cells, tmp_path: Path) -> Callable[..., Coupler]:
    """Return a function that starts a run with a record: baselines, date, settings -> coupler."""

    def run(given: Cells, year: int, *, open_with: dict[str, Any] | None = None, **more: Any):
        settings = {"baseline_record": str(tmp_path / "record.json"), **more}
        experiment = coupled("recorded", mode="anomaly", **settings)
        coupler = Coupler.open(experiment, **cells, **(open_with or {"year": FIRST}))
        for name, values in given.items():
            coupler.baseline(name, values)
        coupler.update(year, 1, 1)
        return coupler

    return run


@pytest.fixture
def own(cells: Cells) -> Cells:
    n = cells["lon_deg"].size
    return {"vegl": np.full(n, 0.4), "vegh": np.full(n, 0.3)}


def moved_by(coupler: Coupler, own: Cells) -> Cells:
    moved = {name: coupler.get(name).copy() for name in own}
    assert any((moved[name] != own[name]).any() for name in own)
    return moved


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_moved_fields_that_come_back_are_refused_with_their_year(
    start: Callable[..., Coupler], own: Cells, tmp_path: Path, kind: type
) -> None:
    given = {name: values.astype(kind) for name, values in own.items()}
    moved = {n: v.astype(kind) for n, v in moved_by(start(given, FIRST + 1), own).items()}
    with pytest.raises(CouplingError) as refused:
        start(moved, FIRST)
    for fact in ("vegh", str(FIRST + 1), str(FIRST), "twice", "record.json", "moved_baseline"):
        assert fact in str(refused.value), fact
    start(given, FIRST)
    start(moved, FIRST + 1, reference=FIRST + 1)
    with pytest.raises(CouplingError, match="'vegh' is neither"):
        start({**given, "vegh": given["vegh"] + kind(0.125)}, FIRST)


def test_what_is_taken_begins_the_record_anew(start: Callable[..., Coupler], own: Cells) -> None:
    moved = moved_by(start(own, FIRST + 1), own)
    start(moved, FIRST, moved_baseline="taken")
    start(moved, FIRST)
    with pytest.raises(CouplingError, match="neither"):
        start(own, FIRST)


def test_a_restart_goes_on_and_a_branch_is_held_against_the_record(
    start: Callable[..., Coupler], own: Cells, tmp_path: Path
) -> None:
    """What a restart gives is not taken, so it is not looked at; a year that it adds is known."""
    first = start(own, FIRST + 1)
    moved, file = moved_by(first, own), tmp_path / "r.nc"
    first.write_restart(file)
    again = start(moved, FIRST + 2, open_with={"restart": file})
    later = moved_by(again, own)
    with pytest.raises(CouplingError, match=rf"handed out in {FIRST + 2} .*twice"):
        start(later, FIRST)
    branch = {"restart": file, "start": "branch"}
    with pytest.raises(CouplingError, match=rf"handed out in {FIRST + 2} .*twice"):
        start(later, FIRST + 1, open_with=branch)
    start(own, FIRST + 1, open_with=branch)
    start(moved, FIRST + 1, open_with=branch)  # counts from the year of the restart


def test_other_points_have_an_entry_of_their_own(
    start: Callable[..., Coupler],
    own: Cells,
    cells: Cells,
    coupled: Callable[..., Path],
    tmp_path: Path,
) -> None:
    """Two instances of one experiment, each with its own points and baselines."""
    moved, path = moved_by(start(own, FIRST + 1), own), tmp_path / "record.json"
    half = {name: values[::2] for name, values in cells.items()}
    experiment = coupled("recorded", mode="anomaly", baseline_record=str(path))
    other = Coupler.open(experiment, **half, year=FIRST)
    for name, values in own.items():
        other.baseline(name, values[::2] / 2)
    other.update(FIRST + 1, 1, 1)
    assert len(json.loads(path.read_text())["hosts"]) == 2
    with pytest.raises(CouplingError, match="twice"):
        start(moved, FIRST)


def test_a_record_that_would_be_waited_for_is_refused(
    start: Callable[..., Coupler], own: Cells, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "record.json")
    with pytest.raises(InputError, match=r"record\.json.*fifo"):
        start(own, FIRST)


def test_a_run_that_observes_or_has_no_baseline_writes_no_record(
    start: Callable[..., Coupler], own: Cells, tmp_path: Path
) -> None:
    start({}, FIRST + 1)
    start(own, FIRST + 1, observe=str(tmp_path / "seen"))
    assert not (tmp_path / "record.json").exists()


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"hosts": {"a": 1}}', '{"hosts": {"a": {"own": {"x": 1}}}}']
)
def test_a_damaged_record_is_named_and_stays(
    start: Callable[..., Coupler], own: Cells, tmp_path: Path, text: str
) -> None:
    path = tmp_path / "record.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"record\.json.*baseline_record"):
        start(own, FIRST)
    assert path.read_text() == text


def test_a_record_that_cannot_be_written_leaves_the_land_where_it_was(
    start: Callable[..., Coupler], own: Cells, tmp_path: Path
) -> None:
    coupler = start(own, FIRST)
    (tmp_path / "record.json").unlink()
    (tmp_path / "record.json").mkdir()
    with pytest.raises(InputError, match=r"record\.json"):
        coupler.update(FIRST + 1, 1, 1)
    assert coupler.year == FIRST
    (tmp_path / "record.json").rmdir()
    assert coupler.update(FIRST + 1, 1, 1) and coupler.year == FIRST + 1


def test_a_checksum_is_of_the_served_points_in_any_order_and_division() -> None:
    rng = np.random.default_rng(2)
    lon, lat, index = rng.uniform(0, 90, 9), rng.uniform(0, 60, 9), rng.permutation(40)[:9]
    fields = {"a": rng.random(9), "months": rng.random((9, 12))}

    def of(some: np.ndarray, ranks: Any = ALONE, mask: np.ndarray | None = None) -> dict[str, str]:
        points = Points.make(lon[some], lat[some], index=index[some], mask=mask)
        return checksums_of({name: values[some] for name, values in fields.items()}, points, ranks)

    class Two:
        """Of two ranks: gives what the other one has."""

        def __init__(self) -> None:
            self.other = np.zeros((2, 4), np.int64)

        def sum(self, values: np.ndarray) -> np.ndarray:
            self.other = self.other + values
            return self.other

    everyone, two = np.arange(9), Two()
    whole = of(everyone)
    assert whole == of(everyone[::-1]) and len(set(whole.values())) == 2
    of(everyone[:4], two)
    assert of(everyone[4:], two) == whole
    served = np.arange(9) != 3
    assert of(everyone, mask=served) == of(everyone[served]) != whole
    fields["a"] = fields["a"].astype(np.float32).astype(np.float64)
    assert of(everyone) == whole
    fields["a"][[0, 1]] = fields["a"][[1, 0]]
    assert of(everyone)["a"] != whole["a"]
    fields["a"][:] = 0.0
    zero = of(everyone)["a"]
    fields["a"][:] = -0.0
    assert of(everyone)["a"] == zero
