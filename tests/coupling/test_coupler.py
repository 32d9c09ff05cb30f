from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from landstep.coupling.coupler import Coupler
from landstep.coupling.fields import field_list, host_fields
from landstep.coupling.host_points import HostPoints
from landstep.emulator.classes import scheme
from landstep.emulator.emulator import Emulator
from landstep.emulator.errors import CouplingError, InputError, StateError, StepError
from landstep.emulator.grid import Grid


@pytest.fixture(scope="module")
def grid(experiment: Path) -> Grid:
    return Emulator.open(experiment).grid


@pytest.fixture
def coupler(experiment: Path, grid: Grid) -> Coupler:
    """On the cells of one row of the world, and one point outside it."""
    lon = np.append(grid.lon_deg, grid.lon_deg[0] + 170)
    return Coupler.open(experiment, lon, np.full(lon.size, grid.lat_deg[40]), year=2015)


def fields_of(coupler: Coupler) -> dict[str, np.ndarray]:
    return {name: coupler.get(name).copy() for name in coupler.names()}


def assert_equal(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> None:
    assert list(first) == list(second)
    for name, values in first.items():
        assert np.array_equal(values, second[name]), name


def test_points_at_cell_centres_give_the_map_itself(coupler: Coupler, experiment: Path) -> None:
    emulator = Emulator.open(experiment)
    state = emulator.step(2016, emulator.start(2015))
    coupler.update(2016, 1, 1)
    row = state.land_use[40]
    codes = scheme("hilda8").codes
    assert coupler.get("dominant_class")[:-1].tolist() == [codes[k] for k in row]
    for k, name in enumerate(scheme("hilda8").names):
        expected = (row == k).astype(float)
        assert np.array_equal(coupler.get(f"area_fraction_{name}")[:-1], expected)
    assert len(set(row.tolist())) > 3, "the row is worth nothing as a test"


def test_a_point_outside_the_grid_has_finite_fields(coupler: Coupler) -> None:
    coupler.update(2015, 1, 1)
    assert coupler.get("dominant_class")[-1] == 255
    assert coupler.get("covered_fraction")[-1] == 0
    assert all(np.isfinite(coupler.get(name)).all() for name in coupler.names())
    assert sum(coupler.get(name)[-1] for name in coupler.names() if name.startswith("area")) == 0


def test_area_fractions_are_the_share_of_cells_in_bounds(experiment: Path, grid: Grid) -> None:
    """Bounds along cell edges within one row, where all cells are of equal area."""
    west, east = grid.lon_edges()[[20, 32]]
    north, south = grid.lat_edges()[[40, 41]]
    coupler = Coupler.open(
        experiment,
        np.array([(west + east) / 2]),
        np.array([(south + north) / 2]),
        lon_bounds=np.array([[west, east]]),
        lat_bounds=np.array([[south, north]]),
        year=2015,
    )
    coupler.update(2015, 1, 1)
    row = coupler.state.land_use[40, 20:32]
    for k, name in enumerate(scheme("hilda8").names):
        found = coupler.get(f"area_fraction_{name}")[0]
        assert found == pytest.approx((row == k).mean(), abs=1e-9)
    assert coupler.get("covered_fraction").tolist() == [1.0]


def test_the_first_update_says_changed_then_nothing_happens_inside_the_year(
    coupler: Coupler,
) -> None:
    assert coupler.update(2015, 3, 31) is True
    before = fields_of(coupler)
    assert coupler.update(2015, 3, 31) is False
    assert coupler.update(2015, 12, 31) is False
    assert_equal(fields_of(coupler), before)
    assert coupler.update(2016, 1, 1) is True
    assert coupler.update(2016, 2, 29) is False
    assert coupler.year == 2016
    assert any(not np.array_equal(coupler.get(name), before[name]) for name in before)


def test_the_map_is_counted_no_more_often_than_it_moved(
    coupler: Coupler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once for the start, by `open`; in a later year once, and for what went where."""
    counted = []
    count = HostPoints.class_areas

    def counting(self: HostPoints, numbers: np.ndarray, n_classes: int) -> np.ndarray:
        counted.append(n_classes)
        return count(self, numbers, n_classes)

    monkeypatch.setattr(HostPoints, "class_areas", counting)
    coupler.update(2015, 1, 1)
    coupler.update(2015, 7, 1)
    assert len(counted) == 0
    coupler.update(2016, 1, 1)
    assert len(counted) == 2


def test_transitions_are_the_gross_change_taken_apart(coupler: Coupler) -> None:
    with pytest.raises(StepError, match="'forest': no fields yet"):
        coupler.get_transition("forest", "cropland")
    coupler.update(2015, 1, 1)
    assert not coupler.get_transition("forest", "cropland").any()
    coupler.update(2016, 1, 1)
    names = scheme("hilda8").names
    table = np.array([[coupler.get_transition(a, b) for b in names] for a in names])
    for number, name in enumerate(names):
        gain, loss = coupler.get_change(name)
        assert np.array_equal(table[number].sum(axis=0), loss), name
        assert np.array_equal(table[:, number].sum(axis=0), gain), name
    assert table.any()
    for pair in (("forest", "wood"), ("wood", "forest")):
        with pytest.raises(CouplingError, match="no class 'wood'"):
            coupler.get_transition(*pair)
    coupler.update(2016, 1, 2)
    assert not coupler.get_transition("forest", "cropland").any(), "no year began"


def test_the_first_update_may_be_a_year_on(coupler: Coupler) -> None:
    assert coupler.update(2016, 1, 1) is True
    assert coupler.update(2016, 1, 2) is False


def test_a_first_date_before_the_start_names_the_key_to_set(coupler: Coupler) -> None:
    with pytest.raises(StepError, match="2010 asked, 2015 reached.* key start .*year of init"):
        coupler.update(2010, 1, 1)


def test_in_the_hosts_own_calendar_only_year_and_month_are_judged(
    coupled: Callable[..., Path], cells: dict[str, np.ndarray]
) -> None:
    coupler = Coupler.open(coupled("own_days", calendar="host"), **cells, year=2015)
    for date in ((2015, 2, 30), (2015, 2, 29), (2015, 2, 0), (2015, 3, 99), (2016, 1, 1)):
        coupler.update(*date)
    with pytest.raises(StepError, match="time went back: 2015 asked, 2016 reached$"):
        coupler.update(2015, 12, 31)
    coupler.update(2016, 3, 1)
    with pytest.raises(StepError, match="time went back: 2016-2-31 asked, 2016-3-1 reached"):
        coupler.update(2016, 2, 31)


@pytest.mark.parametrize(
    ("date", "error", "text"),
    [
        ((2014, 12, 31), StepError, "time went back: 2014 asked, 2015 reached"),
        ((2017, 1, 1), StepError, "2017 asked, 2015 reached: that skips 2016"),
        ((2015, 0, 1), StepError, "month 0 in 2015-0-1, expected 1 to 12"),
        ((2016, 13, 1), StepError, "month 13"),
        ((2016, 4, 31), StepError, "day 31 in 2016-4-31: calendar standard has 30 days"),
        ((2016, 2, 30), StepError, "calendar standard has 29 days; set .coupling. calendar"),
        ((2016, 2, 0), StepError, "day 0"),
    ],
)
def test_a_date_that_cannot_be_is_refused_and_the_host_goes_on(
    coupler: Coupler, date: tuple[int, int, int], error: type[Exception], text: str
) -> None:
    coupler.update(2015, 1, 1)
    before = fields_of(coupler)
    with pytest.raises(error, match=text):
        coupler.update(*date)
    assert coupler.year == 2015
    assert_equal(fields_of(coupler), before)
    assert coupler.update(2015, 6, 1) is False
    assert coupler.update(2016, 1, 1) is True


def test_a_year_outside_the_forcing_is_refused_and_the_state_stays(experiment: Path) -> None:
    last = Emulator.open(experiment).inputs.forcing.years[1]
    coupler = Coupler.open(experiment, np.array([-29.0]), np.array([49.5]), year=2020)
    object.__setattr__(coupler.state, "year", last)  # the years between are not the point
    with pytest.raises(InputError, match=f"{last + 1} outside"):
        coupler.update(last + 1, 1, 1)
    assert coupler.year == last and coupler.update(last, 7, 1) is True


def test_a_restart_goes_on_as_if_nothing_had_been(
    coupler: Coupler, experiment: Path, tmp_path: Path
) -> None:
    lon, lat = np.array([-29.31, 330.7]), np.array([49.5, 49.51])
    coupler.update(2016, 1, 1)
    coupler.write_restart(tmp_path / "restart.nc")
    assert coupler.update(2016, 5, 5) is False, "writing a restart changed something"
    again = Coupler.open(experiment, lon, lat, restart=tmp_path / "restart.nc")
    straight = Coupler.open(experiment, lon, lat, year=2015)
    straight.update(2016, 1, 1)
    assert again.year == 2016 and again.update(2016, 5, 6) is True
    assert_equal(fields_of(again), fields_of(straight))
    again.update(2017, 1, 1)
    straight.update(2017, 1, 1)
    assert_equal(fields_of(again), fields_of(straight))


def test_a_missing_restart_is_no_cold_start(experiment: Path, tmp_path: Path) -> None:
    lon, lat = np.array([-29.0]), np.array([49.5])
    with pytest.raises(StateError, match=r"nowhere\.nc"):
        Coupler.open(experiment, lon, lat, restart=tmp_path / "nowhere.nc")


def test_a_restart_that_steps_backward_is_refused(experiment: Path, tmp_path: Path) -> None:
    """A host's time goes forward."""
    lon, lat = np.array([-29.0]), np.array([49.5])
    Emulator.open(experiment).start(2015, direction="backward").save(tmp_path / "back.nc")
    with pytest.raises(StateError, match="restart steps backward, asked for forward; turning"):
        Coupler.open(experiment, lon, lat, restart=tmp_path / "back.nc")


def test_a_misspelt_field_names_the_one_that_was_meant(coupler: Coupler) -> None:
    coupler.update(2015, 1, 1)
    with pytest.raises(CouplingError, match="did you mean 'area_fraction_forest'"):
        coupler.get("area_fraction_forrest")


def test_fields_cannot_be_written_to(coupler: Coupler) -> None:
    coupler.update(2015, 1, 1)
    with pytest.raises(ValueError, match="read-only"):
        coupler.get("dominant_class")[0] = 1


@pytest.mark.parametrize("call", ["get", "names", "update", "write_restart", "close"])
def test_a_closed_coupler_says_so(coupler: Coupler, call: str) -> None:
    coupler.close()
    arguments = {"get": ["dominant_class"], "update": [2015, 1, 1], "write_restart": ["r.nc"]}
    with pytest.raises(CouplingError, match=f"{call}: this coupler was closed"):
        getattr(coupler, call)(*arguments.get(call, []))


def test_unknown_cells_count_as_not_covered() -> None:
    """A host cell half in the grid; of that 1 part forest, 2 urban, 1 unknown, by hand."""
    of = scheme("hilda8")
    areas = np.zeros((3, 9), np.int64)
    areas[0, [1, 4, 8]] = [200, 100, 100]
    areas[1, 8] = 7
    fields = host_fields(areas, np.array([0.5, 1.0, 0.0]), of)
    assert fields["area_fraction_urban"].tolist() == [200 / 300, 0, 0]
    assert fields["area_fraction_forest"].tolist() == [100 / 300, 0, 0]
    assert fields["covered_fraction"].tolist() == [0.5 * 3 / 4, 0, 0]
    assert fields["dominant_class"].tolist() == [11, 255, 255]


def test_of_equal_areas_the_lowest_class_dominates() -> None:
    areas = np.zeros((1, 9), np.int64)
    areas[0, [2, 4]] = 5
    assert host_fields(areas, np.ones(1), scheme("hilda8"))["dominant_class"].tolist() == [22]


def test_every_field_says_what_it_is_a_share_of(coupler: Coupler) -> None:
    listed = field_list(scheme("hilda8"))
    assert [field.name for field in listed] == coupler.names()
    assert all(bool(field.denominator) == (field.units == "1") for field in listed)
