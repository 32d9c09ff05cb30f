"""Fields that landstep moved and that come back as a host's own: row 103 of the faults."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from landstep.coupling.areas import Areas
from landstep.coupling.coupler import Coupler
from landstep.coupling.crosswalk import Crosswalk
from landstep.coupling.host_fields import HostFields
from landstep.coupling.moved_baselines import MovedBaselines
from landstep.emulator.classes import scheme
from landstep.emulator.errors import CouplingError
from landstep.emulator.experiment import CouplingTable
from landstep.emulator.ranks import Ranks

ALONE = Ranks()
FIRST = 2015
CROP, MEADOW, FOREST = 2, 3, 4
OWN = {"vegl": np.array([0.3, 0.5]), "vegh": np.array([0.6, 0.2]), "z0": np.array([0.5, 0.1])}


@pytest.fixture
def land(areas_of: Callable[..., Areas]) -> tuple[Areas, Areas]:
    """The first point lost a tenth of its forest to meadow; nothing moved at the second."""
    crop = {("tropical", CROP): 50, ("tropical", FOREST): 50}
    return (
        areas_of({("temperate", MEADOW): 60, ("temperate", FOREST): 40}, crop),
        areas_of({("temperate", MEADOW): 70, ("temperate", FOREST): 30}, crop),
    )


def host(source: Crosswalk, given: dict[str, np.ndarray], reference: Areas) -> HostFields:
    settings = CouplingTable(albedo="left", reference=FIRST)
    fields = HostFields(settings, source, scheme("sweden5"), np.array([50.0, -20.0]))
    for name, values in given.items():
        fields.give(name, values)
    fields.begin(reference, ALONE)
    return fields


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_a_branch_from_moved_fields_is_refused_with_field_point_and_year(
    small: Crosswalk, land: tuple[Areas, Areas], kind: type
) -> None:
    before, after = land
    first = host(small, OWN, before)
    moved = {name: first.surface(after).values[name].astype(kind) for name in OWN}
    assert moved["vegl"][0] == pytest.approx(0.4)
    branch = host(small, moved, before)
    with pytest.raises(CouplingError) as error:
        MovedBaselines(first).check(branch, after, 2030, ALONE)
    for fact in ("'vegh'", "0.5 at point 0", "2030", "0.6", str(FIRST), "twice"):
        assert fact in str(error.value), fact


def test_the_hosts_own_fields_and_others_pass(small: Crosswalk, land: tuple[Areas, Areas]) -> None:
    before, after = land
    first = host(small, OWN, before)
    other = {name: values * 0.9 for name, values in OWN.items()}
    for given in (OWN, other, {"z0": OWN["z0"]}):
        MovedBaselines(first).check(host(small, given, before), after, 2030, ALONE)
    MovedBaselines(first).check(host(small, OWN, before), before, FIRST, ALONE)


def test_a_coupled_run_that_branches_from_its_own_fields_is_refused(
    coupled: Callable[..., Path], cells: dict[str, np.ndarray], tmp_path: Path
) -> None:
    """And one that goes on does not count them: what it gives is not taken."""
    anomaly = coupled("moved", mode="anomaly", reference=FIRST)
    n = cells["lon_deg"].size
    own = {"vegl": np.full(n, 0.4), "vegh": np.full(n, 0.3)}
    coupler = Coupler.open(anomaly, **cells, year=FIRST)
    for name, values in own.items():
        coupler.baseline(name, values)
    coupler.update(FIRST + 1, 1, 1)
    moved = {name: coupler.get(name).copy() for name in own}
    assert any((moved[name] != own[name]).any() for name in own)
    coupler.write_restart(tmp_path / "r.nc")

    def again(given: dict[str, np.ndarray], start: str, experiment: Path) -> Coupler:
        found = Coupler.open(experiment, **cells, restart=tmp_path / "r.nc", start=start)
        for name, values in given.items():
            found.baseline(name, values)
        found.update(FIRST + 1, 2, 1)
        return found

    gone_on = again(moved, "restart", anomaly)
    branched = again(own, "branch", anomaly)
    from_here = again(moved, "branch", coupled("moved_here", mode="anomaly", reference=FIRST + 1))
    for name in own:
        for found in (gone_on, branched, from_here):
            assert np.array_equal(found.get(name), moved[name]), name
    with pytest.raises(CouplingError, match=rf"baseline 'vegh'.*{FIRST + 1}.*twice"):
        again(moved, "branch", anomaly)
