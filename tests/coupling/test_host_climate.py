"""A host's climate: from its points to the coarse cells, and from there to zones and maps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from landstep.coupling.coupler import Coupler
from landstep.coupling.host_climate import HostClimate, on_coarse_cells
from landstep.coupling.host_points import HostPoints
from landstep.coupling.land_surface import LandSurface
from landstep.coupling.points import Points
from landstep.emulator.coarse_cells import CoarseCells
from landstep.emulator.coarse_places import REACH, middles_and_sides
from landstep.emulator.emulator import Emulator
from landstep.emulator.errors import ConfigError, CouplingError, InputError, StepError
from landstep.emulator.legends import ZONE_GROUPS
from landstep.emulator.monthly_means import MonthlyMeans
from landstep.emulator.reference_climate import coarse_centres
from landstep.emulator.state import State

FIRST = 2015
AIR, RAIN = "air_temperature", "precipitation_flux"
WARMTH = np.array([0, 1, 2, 3, 4, 4])
"""How warm the made-up zones are, by their codes: sea, polar, boreal, temperate, dry and warm."""
Coupled = Callable[..., Path]


@pytest.fixture(scope="module")
def centres(emulator: Emulator) -> tuple[np.ndarray, np.ndarray]:
    """Latitude and longitude of the coarse cells, (cy, cx) each."""
    of = emulator.inputs
    lat, lon = coarse_centres(of.grid, of.share.held, of.row - of.row[0], of.col - of.col[0])
    return np.array(lat), np.array(lon)


@pytest.fixture
def placed(emulator: Emulator) -> Callable[..., HostPoints]:
    """Give a function that puts points on the world."""

    def make(lat: Any, lon: Any, **more: Any) -> HostPoints:
        points = Points.make(np.asarray(lon, float), np.asarray(lat, float), **more)
        ranks = emulator.assembly.ranks
        return HostPoints.make(points, emulator.grid, emulator.inputs.share, ranks)

    return make


def spread(emulator: Emulator, points: HostPoints, values: np.ndarray) -> np.ndarray:
    """One number a point, on the coarse cells: (cy, cx)."""
    months = np.broadcast_to(values, (2, 12, values.size)) + np.arange(12.0)[:, None]
    found = on_coarse_cells(months, points, emulator.inputs)
    assert found.dtype == np.float32
    assert all(np.array_equal(found[1, k], found[0, 0] + k, equal_nan=True) for k in range(12))
    return found[0, 0]


# ---- from points to coarse cells ----


def test_each_coarse_cell_takes_the_nearest_point(emulator, centres, placed) -> None:
    """Against a search through all points, by the angle between them."""
    lat, lon = centres
    rng = np.random.default_rng(3)
    at = rng.uniform(lat.min(), lat.max(), 40), rng.uniform(lon.min(), lon.max(), 40)
    found = spread(emulator, placed(*at), np.arange(40.0))
    a, b = np.deg2rad(lat.ravel()[:, None]), np.deg2rad(at[0][None, :])
    apart = np.deg2rad(lon.ravel()[:, None] - at[1][None, :])
    angle = np.arccos(np.sin(a) * np.sin(b) + np.cos(a) * np.cos(b) * np.cos(apart))
    known = np.isfinite(found.ravel())
    assert np.array_equal(found.ravel()[known], angle.argmin(axis=1)[known])
    assert known.mean() > 0.7 and np.unique(found[np.isfinite(found)]).size > 4


def test_points_on_the_coarse_cells_give_themselves(emulator, centres, placed) -> None:
    lat, lon = (place.ravel() for place in centres)
    order = np.random.default_rng(1).permutation(lat.size)
    points = placed(lat[order], lon[order], index=order)
    found = spread(emulator, points, order.astype(float))
    assert found.ravel().tolist() == list(range(lat.size))


def test_a_point_speaks_for_as_far_as_its_neighbour_or_a_coarse_cell(
    emulator, centres, placed
) -> None:
    lat, lon = centres
    side = np.abs(np.diff(lat[:, 0])).mean()
    alone = spread(emulator, placed(lat[:1, 0], lon[:1, 0]), np.array([7.0]))
    rows = np.arange(lat.shape[0])
    assert np.array_equal(np.isfinite(alone[:, 0]), rows <= REACH), "a cell and the next"
    two = placed(lat[[0, 0], 0] + [0, 3 * side], lon[[0, 0], 0])
    assert np.isfinite(spread(emulator, two, np.array([7.0, 9.0]))[:, 0]).sum() == min(
        lat.shape[0], 1 + int(3 * REACH)
    )
    far = placed([-40.0], [100.0])
    assert np.isnan(spread(emulator, far, np.array([7.0]))).all()


def test_points_that_are_not_served_say_nothing(emulator, centres, placed) -> None:
    lat, lon = (place.ravel() for place in centres)
    mask = np.arange(lat.size) % 2 == 0
    values = np.where(mask, np.arange(lat.size), np.nan)
    found = spread(emulator, placed(lat, lon, mask=mask), values).ravel()
    assert np.array_equal(found[mask], values[mask])
    assert np.isfinite(found).all() and set(found) <= set(values[mask])
    none = placed(lat, lon, mask=np.zeros(lat.size, bool))
    assert np.isnan(spread(emulator, none, values)).all()


def test_of_equally_near_points_the_lowest_index_speaks(emulator, centres, placed) -> None:
    lat, lon = centres
    same = placed(lat[[0] * 3, 0], lon[[0] * 3, 0], index=np.array([5, 2, 9]))
    assert spread(emulator, same, np.array([50.0, 20.0, 90.0]))[0, 0] == 20.0


def test_no_points_at_all_say_nothing(emulator, placed) -> None:
    assert np.isnan(spread(emulator, placed([], []), np.zeros(0))).all()


# ---- years ----


def test_a_year_is_heard_when_it_is_over(emulator, centres, placed) -> None:
    lat, lon = (place.ravel() for place in centres)
    points = placed(lat, lon)
    climate = HostClimate(emulator.inputs, points, MonthlyMeans(lat.size, FIRST))
    state = emulator.start(FIRST)
    climate.begin(1)
    assert climate.heard(emulator, state) is state, "nothing was put"
    for month in range(1, 13):
        climate.put(AIR, np.full(lat.size, month - 10.0), "degC", month)
        climate.put(RAIN, np.full(lat.size, 2.0), "mm/day", month)
    told = climate.heard(emulator, state).climate
    assert told.variables == (AIR, RAIN) and told.last == FIRST
    assert np.unique(told.years[0][0, 2]) == pytest.approx([266.15])
    assert np.unique(told.years[0][1]) == pytest.approx([2 / 86400])
    following = climate.next_year()
    assert following.means.year == FIRST + 1 and not following.means.counts.any()
    assert climate.means.counts.all(), "the year that is over stays as it is"
    with pytest.raises(StepError, match="no air_temperature for January, February, March, April"):
        following.heard(emulator, state)


# ---- a whole run ----


@pytest.fixture(scope="module")
def hearing(coupled: Coupled) -> Path:
    """The made-up world, with its class fractions."""
    return coupled("hearing", host="classes", geometry="left")


def test_without_put_online_equals_offline(emulator, hearing, on_cells) -> None:
    coupler = Coupler.open(hearing, **on_cells, year=FIRST)
    offline = emulator.start(FIRST)
    for year in range(FIRST + 1, FIRST + 4):
        coupler.update(year, 1, 1)
        offline = emulator.step(year, offline)
    assert coupler.state.climate is None and coupler.state.checksum == offline.checksum


def test_a_host_with_the_reference_climate_changes_no_map(
    emulator, hearing, on_cells, weather
) -> None:
    coupler = weather().run(Coupler.open(hearing, **on_cells, year=FIRST), FIRST, FIRST + 1)
    offline = emulator.start(FIRST)
    for year in (FIRST + 1, FIRST + 2):
        offline = emulator.step(year, offline)
    assert len(coupler.state.climate.years) == 2
    assert np.array_equal(coupler.state.land_use, offline.land_use)


def test_the_same_climate_again_gives_the_same_bits(emulator, hearing, on_cells, weather) -> None:
    runs = [
        weather(3.3).run(Coupler.open(hearing, **on_cells, year=FIRST), FIRST, FIRST)
        for _ in range(2)
    ]
    assert runs[0].state.checksum == runs[1].state.checksum
    other = weather(3.4).run(Coupler.open(hearing, **on_cells, year=FIRST), FIRST, FIRST)
    assert other.state.checksum != runs[0].state.checksum


def test_four_kelvin_more_move_zones_to_warmer_ones_and_the_maps(
    emulator, hearing, on_cells, weather, cells
) -> None:
    """After ten years a third of it counts: zones move, to warmer ones."""
    cold, warm = (
        weather(by).run(Coupler.open(hearing, **on_cells, year=FIRST), FIRST, FIRST + 9)
        for by in (0.0, 4.0)
    )
    zones = [WARMTH[emulator.climate_zones(FIRST + 10, of.state)] for of in (cold, warm)]
    moved = zones[0] != zones[1]
    assert moved.mean() > 0.03
    share = (zones[1] > zones[0])[moved].mean()
    assert share > 0.75, "the rest was observed warmer than its climate"
    assert zones[1].mean() > zones[0].mean()
    assert not np.array_equal(cold.state.land_use, warm.state.land_use)
    land = LandSurface.of(emulator, Points.make(**cells))
    areas = [land.areas(of.state).values.sum(axis=(0, 2)) for of in (cold, warm)]
    polar, tropical = (ZONE_GROUPS.index(name) for name in ("polar", "tropical"))
    assert areas[1][polar] < areas[0][polar] and areas[1][tropical] > areas[0][tropical]


def test_a_missing_month_is_named_at_the_years_end_and_the_host_goes_on(
    emulator, hearing, on_cells, weather, tmp_path: Path
) -> None:
    coupler, host = Coupler.open(hearing, **on_cells, year=FIRST), weather()
    for month in range(1, 13):
        coupler.update(FIRST, month, 1)
        if month != 5:
            host.put(coupler, month)
    before = coupler.get("area_fraction_forest").copy()
    words = (
        f"^no air_temperature for May of {FIRST}; no precipitation_flux for May of {FIRST}; call "
        "put in every month"
    )
    for _ in range(2):
        with pytest.raises(StepError, match=words):
            coupler.update(FIRST + 1, 1, 1)
        assert coupler.year == FIRST
        assert np.array_equal(coupler.get("area_fraction_forest"), before)
    coupler.write_restart(tmp_path / "r.nc")
    assert State.load(tmp_path / "r.nc").year == FIRST
    assert coupler.update(FIRST, 12, 31) is False


def test_a_year_of_rain_a_thousand_times_too_large_is_refused_at_its_end(
    emulator, hearing, on_cells, weather
) -> None:
    """Row 100: g m-2 s-1 taken for kg m-2 s-1 passes as showers, and not as months."""
    coupler, host = Coupler.open(hearing, **on_cells, year=FIRST), weather()
    host.rain = np.minimum(host.rain * 1000, 0.2)
    for month in range(1, 13):
        coupler.update(FIRST, month, 1)
        host.put(coupler, month)
    for _ in range(2):
        with pytest.raises(InputError, match=f"{RAIN}.*January {FIRST}.*looks like g m-2 s-1"):
            coupler.update(FIRST + 1, 1, 1)
        assert coupler.year == FIRST and coupler.state.climate is None
    shower = Coupler.open(hearing, **on_cells, year=FIRST)
    for month in range(1, 13):
        shower.update(FIRST, month, 1)
        weather().put(shower, month)
        if month == 7:  # a downpour in one step of thirty
            shower.put(RAIN, np.full(shower.n, 0.1))
            for _ in range(28):
                shower.put(RAIN, np.zeros(shower.n))
    assert shower.update(FIRST + 1, 1, 1) is True


def test_a_run_that_begins_in_july_is_heard_from_the_next_year(
    emulator, hearing, on_cells, weather
) -> None:
    coupler, host = Coupler.open(hearing, **on_cells, year=FIRST), weather(5)
    for month in range(7, 13):
        coupler.update(FIRST, month, 1)
        host.put(coupler, month)
    host.run(coupler, FIRST + 1, FIRST + 1)
    climate = coupler.state.climate
    assert climate.last == FIRST + 1 and len(climate.years) == 1


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ((AIR, np.zeros(2)), CouplingError, r"'air_temperature': array of shape \(2,\), expected"),
        (("air_temprature", None), CouplingError, "did you mean 'air_temperature'"),
        ((AIR, None, "furlong"), CouplingError, "in 'furlong', expected one of .'K'"),
        ((AIR, np.nan), InputError, "NaN in air_temperature at point 0"),
        ((AIR, 15.0), InputError, "looks like degC; pass units 'degC'"),
        ((RAIN, 3.0), InputError, "looks like mm/day"),
    ],
)
def test_what_cannot_be_put_is_refused_and_leaves_no_trace(
    hearing, on_cells, given: tuple[Any, ...], error: type[Exception], words: str
) -> None:
    coupler = Coupler.open(hearing, **on_cells, year=FIRST)
    coupler.update(FIRST, 1, 1)
    name, values, *units = given
    if np.ndim(values) == 0:
        values = np.full(coupler.n, 280.0 if values is None else values)
    with pytest.raises(error, match=words):
        coupler.put(name, values, *units)
    assert coupler.update(FIRST + 1, 1, 1) is True and coupler.state.climate is None


def test_climate_before_a_date_is_refused(hearing, on_cells) -> None:
    coupler = Coupler.open(hearing, **on_cells, year=FIRST)
    with pytest.raises(StepError, match="'air_temperature': no date yet; call update first"):
        coupler.put(AIR, np.full(coupler.n, 280.0))


def test_without_a_reference_climate_zones_cannot_move(experiment: Path, on_cells) -> None:
    text = experiment.read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.startswith(("legend", "reference"))]
    path = experiment.with_name("no_climate.toml")
    lines += ["[coupling]", 'geometry = "left"', ""]
    path.write_text("\n".join(lines), "utf-8")
    coupler = Coupler.open(path, **on_cells, year=FIRST)
    coupler.update(FIRST, 1, 1)
    with pytest.raises(ConfigError, match="moves climate zones, and the experiment names no clim"):
        coupler.put(AIR, np.full(coupler.n, 280.0))
    coupler.put("surface_downwelling_shortwave_flux_in_air", np.full(coupler.n, 200.0))


def test_a_coarse_cells_size_is_that_of_its_fine_cells(emulator: Emulator) -> None:
    """What a point's reach is measured by, against the sum of areas on the sphere."""
    of = CoarseCells.of(emulator.inputs.row, emulator.inputs.col)
    middle, side = middles_and_sides(emulator.inputs)
    lat = np.deg2rad(emulator.grid.lat_edges())
    lon = np.deg2rad(emulator.grid.lon_edges())
    south, north = lat[of.top + of.height], lat[of.top]
    width = lon[of.left + of.width] - lon[of.left]
    area = np.abs(np.sin(north) - np.sin(south))[:, None] * width
    assert np.sqrt(area) == pytest.approx(side, rel=1e-3)
    assert np.linalg.norm(middle, axis=-1) == pytest.approx(np.ones(side.shape))
