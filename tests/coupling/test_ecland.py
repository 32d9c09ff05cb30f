"""ecLand's table: its types, and its ten tiles by its own rule."""

from pathlib import Path

import netCDF4
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landstep.coupling.anomaly import Anomaly
from landstep.coupling.crosswalk import Crosswalk
from landstep.coupling.host_table import host_table
from landstep.coupling.monthly_maps import MonthlyMap
from landstep.emulator.classes import scheme

SEEDS = st.integers(0, 2**32 - 1)
OCEAN, URBAN, CROP, PASTURE, FOREST, GRASS, OTHER, WATER = range(8)


@pytest.fixture(scope="module")
def ecland() -> Crosswalk:
    return Crosswalk.make(host_table("ecland", "."), scheme("hilda8"), legend_known=True)


def tiles(fields: dict[str, np.ndarray], cover: np.ndarray, snow: float, wet: float) -> np.ndarray:
    """Fractions of ecLand's tiles over land: (10, n).

    cover : RVCOV by type, 0..20
    Source: ecLand, surfbc_ctl_mod.F90, with lakes (LEFLAKE) and the urban tile.
    """
    lake = fields["cl"]
    urban = np.where(lake + fields["cu"] > 1, 1 - lake, fields["cu"])
    rest = 1 - lake - urban
    low = fields["cvl"] * cover[fields["tvl"].astype(int)] * rest
    high = fields["cvh"] * cover[fields["tvh"].astype(int)] * rest
    bare = 1 - low - high - lake - urban
    dry = (1 - snow) * (1 - wet)
    zero = np.zeros_like(lake)
    return np.stack([
        zero, zero, wet * (1 - snow) * (low + high + bare + urban), low * dry,
        snow * (bare + low), high * dry, snow * (high + urban), bare * dry, lake, urban * dry,
    ])  # fmt: skip


def cover_table(of: Crosswalk) -> np.ndarray:
    table = np.zeros(21)
    for entry in of.table.cover:
        if entry.type is not None:
            table[entry.type] = entry.properties["cover"]
    return table


@given(seed=SEEDS)
def test_its_ten_tiles_sum_to_one(ecland: Crosswalk, random_areas, seed: int) -> None:
    found = ecland.values(random_areas(seed, n_classes=8, points=20))
    for snow, wet in ((0.0, 0.0), (0.3, 0.6), (1.0, 0.2)):
        fractions = tiles(found, cover_table(ecland), snow, wet)
        assert np.abs(fractions.sum(axis=0) - 1).max() < 1e-13
        assert (fractions >= -1e-15).all()
    assert (found["cvl"] + found["cvh"] <= 1).all()


@given(seed=SEEDS)
def test_its_tiles_sum_to_one_with_a_baseline_of_its_own(ecland, random_areas, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shares, water = rng.dirichlet(np.ones(3), 7), rng.dirichlet(np.ones(3), 7)
    own = {"cvl": shares[:, 0], "cvh": shares[:, 1], "cl": water[:, 0], "cu": water[:, 1]}
    own |= {"tvl": rng.choice([1.0, 2.0, 11.0], 7), "tvh": rng.choice([3.0, 19.0], 7)}
    before, after = (random_areas(seed + i, n_classes=8) for i in range(2))
    found = Anomaly.make(ecland, own, before).values(after).values
    fractions = tiles(found, cover_table(ecland), 0.2, 0.3)
    assert np.abs(fractions.sum(axis=0) - 1).max() < 1e-13
    assert (fractions >= -1e-15).all()


def test_a_lake_comes_before_a_town(ecland: Crosswalk, areas_of) -> None:
    """Lake and town together more than the cell: the town is cut, as the host itself does."""
    before = areas_of({("temperate", CROP): 100}, n_classes=8)
    after = areas_of({("temperate", WATER): 30, ("temperate", URBAN): 70}, n_classes=8)
    own = {"cl": np.array([0.4]), "cu": np.array([0.3])}
    served = Anomaly.make(ecland, own, before).values(after)
    assert served.values["cl"][0] == pytest.approx(0.7)
    assert served.values["cu"][0] == pytest.approx(0.3)
    assert served.values["cl"] + served.values["cu"] <= 1
    assert served.clipped == {"cl": 0, "cu": 1}


def test_shares_are_of_the_part_without_lake_town_and_sea(ecland: Crosswalk, areas_of) -> None:
    cell = {
        ("temperate", CROP): 30, ("temperate", FOREST): 10, ("temperate", WATER): 20,
        ("temperate", URBAN): 10, ("unknown", OCEAN): 30,
    }  # fmt: skip
    found = ecland.values(areas_of(cell, n_classes=8))
    assert found["cvl"][0] == pytest.approx(0.75) and found["cvh"][0] == pytest.approx(0.25)
    assert found["cl"][0] == pytest.approx(0.2) and found["cu"][0] == pytest.approx(0.1)


def test_means_weigh_by_the_area_that_the_fraction_is_of(ecland: Crosswalk, areas_of) -> None:
    """3 km2 of open land with crops on all of it, and 1 km2 beside 7 km2 of town."""
    km2 = 10**9
    areas = areas_of(
        {("boreal", CROP): 3 * km2},
        {("boreal", CROP): 1 * km2, ("boreal", URBAN): 7 * km2},
        n_classes=8,
    )
    own = {"cvl": np.ones(2), "cvh": np.zeros(2), "tvl": np.ones(2)}
    own["lai_lv"] = np.repeat([[2.0], [6.0]], 12, axis=1)
    of = MonthlyMap.make(ecland, "lai_lv", own, areas)
    crops = ecland.table.field_numbers(of.entry).index(0)
    assert of.means_from(of.sums())[crops, 6] == pytest.approx(np.full(12, 3.0))


@pytest.mark.parametrize(
    ("zone", "of", "name", "number"),
    [
        ("tropical", FOREST, "tvh", 6), ("boreal", FOREST, "tvh", 3), ("polar", FOREST, "tvh", 4),
        ("continental", FOREST, "tvh", 18), ("temperate", FOREST, "tvh", 5),
        ("temperate", CROP, "tvl", 1), ("tropical", PASTURE, "tvl", 7),
        ("temperate", PASTURE, "tvl", 2), ("polar", GRASS, "tvl", 9),
        ("temperate_dry", GRASS, "tvl", 16), ("arid_hot", GRASS, "tvl", 11),
    ],
)  # fmt: skip
def test_types_follow_class_and_zone(ecland, areas_of, zone, of, name, number) -> None:
    found = ecland.values(areas_of({(zone, of): 100}, n_classes=8))
    assert found[name][0] == number


def test_known_forest_types_are_the_hosts_own(areas_of) -> None:
    of = scheme("hilda13")
    walk = Crosswalk.make(host_table("ecland", "."), of, legend_known=True)
    for code, number in ((41, 3), (42, 6), (43, 4), (44, 5), (45, 18)):
        areas = areas_of({("tropical", of.codes.index(code)): 9}, n_classes=13)
        assert walk.values(areas)["tvh"][0] == number


def test_its_fields_carry_their_grib_numbers(ecland: Crosswalk) -> None:
    numbers = {field.name: field.attributes.get("paramId") for field in ecland.fields}
    expected = {"cvl": 27, "cvh": 28, "tvl": 29, "tvh": 30, "lai_lv": 66, "lai_hv": 67}
    assert {name: numbers[name] for name in expected} == expected


def test_a_real_surface_file_is_a_baseline(ecland: Crosswalk, real_data: Path, areas_of) -> None:
    """Cabauw: grass and crops. A tenth of the cell turns to forest, where the host has none."""
    path = real_data / "hosts" / "ecland_surfclim_CA-001.nc"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    with netCDF4.Dataset(path) as file:
        own = {
            field.name: np.array(file[field.attributes["variable"]][:], float).reshape(
                (12, 1) if field.months == 12 else (1,)
            ).T
            for field in ecland.fields
            if field.attributes.get("variable") in file.variables
        }  # fmt: skip
    assert {"cvl", "tvh", "lai_hv", "albedo"} <= own.keys()
    before = areas_of({("temperate", PASTURE): 90 * 10**9, ("temperate", URBAN): 10 * 10**9},
                      n_classes=8)  # fmt: skip
    after = areas_of(
        {("temperate", PASTURE): 80 * 10**9, ("temperate", FOREST): 10 * 10**9,
         ("temperate", URBAN): 10 * 10**9}, n_classes=8,
    )  # fmt: skip
    annual = {name: values for name, values in own.items() if values.ndim == 1}
    anomaly = Anomaly.make(ecland, annual, before)
    assert all(np.array_equal(anomaly.values(before).values[name], annual[name]) for name in annual)
    served = anomaly.values(after).values
    assert served["cvh"][0] == pytest.approx(1 / 9) and served["cvl"][0] == pytest.approx(8 / 9)
    assert served["tvl"][0] == 1.0, "the host's crops stay"
    assert served["tvh"][0] == 5.0, "type 19 stood where there was no high vegetation"
    for name in ("lai_lv", "lai_hv", "albedo"):
        of = MonthlyMap.make(ecland, name, own, before)
        means = of.means_from(of.sums())
        same, _ = of.values(means, before, anomaly.values(before).values)
        assert np.array_equal(same, own[name])
        values, _ = of.values(means, after, served)
        if name == "lai_lv":
            assert np.array_equal(values, own[name])
        elif name == "lai_hv":
            assert (values == 5.0).all(), "no such type in this host: the table's"
        else:
            assert (values < own[name]).all(), "forest is darker"
