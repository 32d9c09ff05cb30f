"""A host's own monthly maps, moved with the cover."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landstep.coupling.areas import Areas
from landstep.coupling.crosswalk import Crosswalk
from landstep.coupling.host_table import host_table
from landstep.coupling.monthly_maps import MonthlyMap
from landstep.emulator.classes import scheme
from landstep.emulator.errors import CouplingError
from landstep.emulator.legends import ZONE_GROUPS

SEEDS = st.integers(0, 2**32 - 1)
SEA, URBAN, CROP, MEADOW, FOREST = range(5)
YEAR = np.arange(12.0)
KM2 = 10**9
N = 7


def own_fields(seed: int, n: int = N) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    low = rng.choice([0.0, 0.3, 0.7], n)
    return {
        "vegl": low,
        "vegh": 1.0 - low,
        "typel": rng.choice([0.0, 1.0, 2.0], n),
        "lail": rng.uniform(0, 7, (n, 12)),
        "alb12": rng.uniform(0, 1, (n, 12)),
    }


@pytest.mark.parametrize("name", ["lail", "alb12"])
@given(seed=SEEDS)
def test_where_nothing_changed_the_map_has_its_own_bits(small, random_areas, name, seed) -> None:
    own, areas = own_fields(seed), random_areas(seed)
    of = MonthlyMap.make(small, name, own, areas)
    values, clipped = of.values(of.means_from(of.sums()), areas, own)
    assert np.array_equal(values, own[name])
    assert clipped == 0 and not values.flags.writeable


@pytest.mark.parametrize("name", ["lail", "alb12"])
@given(seed=SEEDS)
def test_any_change_gives_finite_values_in_bounds(small, random_areas, name, seed) -> None:
    own, before, after = own_fields(seed), random_areas(seed), random_areas(seed + 1)
    of = MonthlyMap.make(small, name, own, before)
    served = {**own, **own_fields(seed + 1)}
    values, _ = of.values(of.means_from(of.sums()), after, served)
    assert np.isfinite(values).all()
    assert (values >= 0).all() and (values <= (10 if name == "lail" else 1)).all()
    if name == "lail":
        same = (served["vegl"] == own["vegl"]) & (served["typel"] == own["typel"])
        same |= served["vegl"] == 0
        assert np.array_equal(values[same], own[name][same])


@pytest.mark.parametrize("name", ["lail", "alb12"])
@given(seed=SEEDS)
def test_sums_of_parts_are_the_sums_of_the_whole(small, random_areas, name, seed) -> None:
    """So ranks can add them in any order."""
    own, areas = own_fields(seed), random_areas(seed)
    whole = MonthlyMap.make(small, name, own, areas).sums()
    assert whole.dtype == np.int64
    parts = np.zeros_like(whole)
    for points in (slice(4, 7), slice(0, 1), slice(1, 4)):
        part = Areas.make(areas.values[points], areas.unknown[points], areas.coverage[points])
        theirs = {key: value[points] for key, value in own.items()}
        parts += MonthlyMap.make(small, name, theirs, part).sums()
    assert np.array_equal(parts, whole)


def test_sums_of_the_whole_earth_fit(small: Crosswalk, areas_of) -> None:
    areas = areas_of({("boreal", CROP): int(5.1e8 * KM2)})
    own = {"vegl": np.ones(1), "vegh": np.zeros(1), "typel": np.ones(1)}
    own["lail"] = np.full((1, 12), 10.0)
    of = MonthlyMap.make(small, "lail", own, areas)
    assert of.sums()[0, ZONE_GROUPS.index("boreal"), 0] > 0
    assert of.means_from(of.sums())[0, ZONE_GROUPS.index("boreal")] == pytest.approx(
        np.full(12, 10)
    )


def lai_case(small: Crosswalk, areas_of) -> tuple[MonthlyMap, dict[str, np.ndarray], Areas]:
    """Crops of 2 and 1 km2 and grass of 4 km2 in the boreal zone, crops of 5 km2 in the tropics."""
    areas = areas_of(
        {("boreal", CROP): 4 * KM2},
        {("boreal", CROP): 2 * KM2},
        {("boreal", CROP): 8 * KM2},
        {("tropical", CROP): 10 * KM2},
    )
    own = {
        "vegl": np.full(4, 0.5),
        "vegh": np.full(4, 0.5),
        "typel": np.array([1.0, 1.0, 2.0, 1.0]),
        "lail": np.array([3.0, 0.0, 1.0, 6.0])[:, None] + YEAR / 10,
    }
    return MonthlyMap.make(small, "lail", own, areas), own, areas


def test_means_weigh_by_area_and_cover(small: Crosswalk, areas_of) -> None:
    of, _, _ = lai_case(small, areas_of)
    means = of.means_from(of.sums())
    boreal, tropical, polar = (ZONE_GROUPS.index(z) for z in ("boreal", "tropical", "polar"))
    assert means[0, boreal] == pytest.approx((2 * 3.0 + 1 * 0.0) / 3 + YEAR / 10)
    assert means[0, tropical] == pytest.approx(6.0 + YEAR / 10)
    assert means[1, boreal] == pytest.approx(1.0 + YEAR / 10)
    # no such zone: the type over all zones
    assert means[0, polar] == pytest.approx((2 * 3.0 + 1 * 0.0 + 5 * 6.0) / 8 + YEAR / 10)
    assert means[1, tropical] == pytest.approx(1.0 + YEAR / 10)


def test_a_type_that_the_host_has_nowhere_takes_the_tables_value(small, areas_of) -> None:
    of, own, _ = lai_case(small, areas_of)
    areas = areas_of({("boreal", CROP): 4 * KM2})
    crops = {name: value[:1] for name, value in own.items()}
    of = MonthlyMap.make(small, "lail", crops, areas)
    assert (of.means_from(of.sums())[1] == 2.0).all()


def test_a_type_with_no_value_anywhere_is_refused(small_table: str, tmp_path: Path, areas_of):
    """A table that was checked has one; one made in Python may not."""
    (tmp_path / "own.toml").write_text(small_table, "utf-8")
    table = host_table("own.toml", tmp_path)
    grass = table.cover[1].model_copy(update={"properties": {}})
    cut = table.model_copy(update={"cover": [table.cover[0], grass, *table.cover[2:]]})
    walk = Crosswalk.make(cut, scheme("sweden5"), True)
    own = {"vegl": np.ones(1), "vegh": np.zeros(1), "typel": np.ones(1), "lail": np.ones((1, 12))}
    of = MonthlyMap.make(walk, "lail", own, areas_of({("boreal", CROP): KM2}))
    with pytest.raises(CouplingError, match="'lail': the host has no 'grass' anywhere"):
        of.means_from(of.sums())


def test_a_new_type_has_its_zones_mean_and_more_of_a_type_joins_at_it(small, areas_of) -> None:
    of, own, areas = lai_case(small, areas_of)
    means = of.means_from(of.sums())
    served = {
        "vegl": np.array([0.5, 1.0, 0.25, 0.5]),  # as before, twice, half, as before
        "typel": np.array([2.0, 1.0, 2.0, 1.0]),  # grass now, and as before
    }
    values, _ = of.values(means, areas, served)
    assert values[0] == pytest.approx(1.0 + YEAR / 10), "grass of the boreal zone"
    assert values[1] == pytest.approx((0.0 + 2.0) / 2 + YEAR / 10), "half own, half the mean"
    assert np.array_equal(values[2:], own["lail"][2:]), "less of it, and no change"


@given(seed=SEEDS)
def test_a_map_that_is_its_types_means_stays_so(small: Crosswalk, random_areas, seed) -> None:
    """Each type keeps its zone's monthly mean, whatever happens to types and fractions."""
    own, areas, later = own_fields(seed), random_areas(seed), own_fields(seed + 1)
    zone = small.zones(areas)
    of_type = np.random.default_rng(seed).uniform(0, 7, (3, 9, 12))
    own["lail"] = of_type[own["typel"].astype(int), zone]
    of = MonthlyMap.make(small, "lail", own, areas)
    means = of.means_from(of.sums())
    weight = of.sums()[:, :, -1]
    served = {**own, "vegl": later["vegl"], "typel": later["typel"]}
    values, _ = of.values(means, areas, served)
    for point in np.flatnonzero((served["typel"] > 0) & (served["vegl"] > 0)):
        kind = int(served["typel"][point])
        if weight[kind - 1, zone[point]] > 10**6:
            expected = of_type[kind, zone[point]]
            assert values[point] == pytest.approx(expected, abs=1e-4)


def test_cover_where_the_host_had_none_has_the_mean(small: Crosswalk, areas_of) -> None:
    of, own, areas = lai_case(small, areas_of)
    own["vegl"] = np.array([0.0, 0.5, 0.5, 0.5])
    of = MonthlyMap.make(small, "lail", own, areas)
    values, _ = of.values(
        of.means_from(of.sums()), areas, {**own, "vegl": np.array([0.1, 0.5, 0.5, 0.5])}
    )
    assert values[0] == pytest.approx(0.0 + YEAR / 10), "the crops' of the other boreal point"


def test_albedo_moves_with_the_shares_of_covers(small: Crosswalk, areas_of) -> None:
    """Forest of .1 and meadow of .3 in the boreal zone; half of a forest point is cleared."""
    before = areas_of({("boreal", FOREST): 8 * KM2}, {("boreal", MEADOW): 4 * KM2})
    after = areas_of(
        {("boreal", FOREST): 4 * KM2, ("boreal", MEADOW): 4 * KM2}, {("boreal", MEADOW): 4 * KM2}
    )
    own = {"alb12": np.array([0.1, 0.3])[:, None] + YEAR / 100}
    of = MonthlyMap.make(small, "alb12", own, before)
    means = of.means_from(of.sums())
    values, clipped = of.values(means, after, {})
    assert values[0] == pytest.approx(0.2 + YEAR / 100), "own + .5 (meadow - forest)"
    assert np.array_equal(values[1], own["alb12"][1])
    assert clipped == 0


def test_an_albedo_that_would_leave_its_bounds_is_held_and_counted(small, areas_of) -> None:
    before = areas_of({("boreal", FOREST): KM2}, {("boreal", FOREST): KM2}, {("boreal", CROP): KM2})
    after = areas_of({("boreal", CROP): KM2}, {("boreal", FOREST): KM2}, {("boreal", CROP): KM2})
    own = {"alb12": np.repeat([[0.9], [0.1], [0.9]], 12, axis=1)}
    of = MonthlyMap.make(small, "alb12", own, before)
    values, clipped = of.values(of.means_from(of.sums()), after, {})
    assert (values[0] == 1.0).all(), "0.9 + 0.9 - 0.5"
    assert clipped == 1


def test_a_constant_albedo_stays_constant(small: Crosswalk, random_areas) -> None:
    """Change of shares sums to 0, so a map without contrast cannot move."""
    own = {"alb12": np.full((N, 12), 0.2)}
    of = MonthlyMap.make(small, "alb12", own, random_areas(3))
    sums = of.sums()
    means = np.full_like(of.means_from(sums), 0.2)
    values, _ = of.values(means, random_areas(11), {})
    assert values == pytest.approx(np.full((N, 12), 0.2), abs=1e-14)


def test_a_field_that_is_not_monthly_is_refused(small: Crosswalk, areas_of) -> None:
    with pytest.raises(CouplingError, match="'vegl' is no monthly field of host 'small_host'"):
        MonthlyMap.make(small, "vegl", {}, areas_of({}))


def test_a_map_of_one_plant_type_needs_no_type_field(small_table, tmp_path, areas_of) -> None:
    text = small_table.replace(
        'of_type = "typel"\nof_cover = "vegl"', 'covers = ["oak"]\nof_cover = "vegh"'
    )
    (tmp_path / "own.toml").write_text(text, "utf-8")
    walk = Crosswalk.make(host_table("own.toml", tmp_path), scheme("sweden5"), True)
    areas = areas_of({("boreal", FOREST): KM2}, {("boreal", FOREST): 3 * KM2})
    own = {"vegh": np.array([0.5, 0.5]), "lail": np.repeat([[2.0], [6.0]], 12, axis=1)}
    of = MonthlyMap.make(walk, "lail", own, areas)
    means = of.means_from(of.sums())
    values, _ = of.values(means, areas, {"vegh": np.array([1.0, 0.5])})
    assert values[0] == pytest.approx(np.full(12, 3.5)), "half of 2, half of the mean, 5"
    assert (values[1] == 6.0).all()
