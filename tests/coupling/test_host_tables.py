"""What holds in every host table that comes with landstep."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import netCDF4
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landstep.coupling.areas import ZONE_GROUPS, Areas
from landstep.coupling.crosswalk import Crosswalk
from landstep.coupling.host_table import host_names, host_table
from landstep.coupling.table_entries import HostTable
from landstep.emulator.classes import OUTSIDE, scheme

SCHEMES = ("hilda8", "hilda13")
ALL = [(host, name) for host in host_names() for name in SCHEMES]
UNKNOWN = ZONE_GROUPS.index("unknown")


def table(host: str) -> HostTable:
    return host_table(host, ".")


def ready(host: str, of: str = "hilda8") -> Crosswalk:
    return Crosswalk.make(table(host), scheme(of), legend_known=True)


def random_areas(seed: int, of: str, n: int = 40) -> Areas:
    """Points of few or many classes and zones, some without land, some of slivers."""
    rng = np.random.default_rng(seed)
    shape = (n, len(ZONE_GROUPS), scheme(of).n_classes)
    values = rng.integers(0, 10 ** rng.integers(0, 15, n)[:, None, None] + 1, shape)
    values[rng.random(shape) < 0.8] = 0
    values[: n // 8, :, 1:] = 0  # sea
    return Areas.make(values, np.zeros(n, np.int64), np.ones(n))


def entries(of: HostTable) -> Iterator[tuple[str, str]]:
    """Each source of a table, with where it stands."""
    yield "table", of.source
    for cover in of.cover:
        yield f"cover {cover.name}", cover.source
        yield from ((f"cover {cover.name}, {key}", text) for key, text in cover.sources.items())
    yield from ((f"row {row.classes} {row.zones}", row.source) for row in of.row)
    yield from ((f"field {field.name}", field.source) for field in of.field)
    yield from ((f"sum {group.fields}", group.source) for group in of.sum)


@pytest.mark.parametrize(("host", "of"), ALL)
def test_every_class_in_every_zone_is_covers_that_sum_to_one(host: str, of: str) -> None:
    sums = ready(host, of).shares.sum(axis=2)
    assert np.abs(sums[:UNKNOWN] - 1).max() < 1e-12
    assert all(abs(total - 1) < 1e-12 or total == 0 for total in sums[UNKNOWN])


@pytest.mark.parametrize(("host", "of"), ALL)
def test_only_sea_and_inland_water_may_lie_outside_the_land(host: str, of: str) -> None:
    walk = ready(host, of)
    land = walk.shares[:UNKNOWN][:, :, table(host).numbers_of(["land"])].sum(axis=2)
    for number, name in enumerate(scheme(of).names):
        if number == OUTSIDE:
            assert (land[:, number] == 0).all()
        elif name != "water":
            assert np.abs(land[:, number] - 1).max() < 1e-12, name


@pytest.mark.parametrize("host", host_names())
def test_every_entry_has_a_source_that_says_something(host: str) -> None:
    for where, text in entries(table(host)):
        assert len(text) > 8, where
        if text.startswith("ours"):
            assert text.startswith("ours: ") and len(text) >= 12, f"{where}: say why"


@pytest.mark.parametrize("host", host_names())
def test_shares_say_what_they_are_shares_of(host: str) -> None:
    for field in table(host).field:
        if field.rule in ("fraction", "monthly_mix"):
            assert field.denominator, field.name
        if field.rule == "fraction":
            assert field.units == ("percent" if field.bounds[1] == 100 else "1"), field.name


@pytest.mark.parametrize(("host", "of"), ALL)
@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1))
def test_any_areas_give_fields_within_bounds_whose_sums_hold(host: str, of: str, seed: int) -> None:
    walk = ready(host, of)
    here = random_areas(seed, of)
    found = walk.values(here)
    for entry in table(host).field:
        if entry.schedule == "monthly":
            continue
        value = found[entry.name]
        assert np.isfinite(value).all()
        assert (value >= entry.bounds[0]).all() and (value <= entry.bounds[1]).all()
        assert (value[~walk.mask(here)] == entry.fill).all()
        if entry.rule == "type":
            types = {table(host).cover[i].type for i in table(host).field_numbers(entry)}
            assert set(value) <= {float(t) for t in types if t is not None} | {entry.fill}
    for group in table(host).sum:
        parts = np.stack([found[name] for name in group.fields])
        forward, backward = sum(parts), sum(parts[::-1])
        if group.kind == "exactly":
            assert np.abs(forward - group.total).max() <= 1e-13
            assert np.abs(backward - group.total).max() <= 1e-13
        else:
            assert forward.max() <= group.total + 1e-13


@pytest.mark.parametrize("host", host_names())
def test_twice_the_area_is_the_same_field(host: str) -> None:
    one = random_areas(7, "hilda13")
    two = Areas.make(one.values * 2, one.unknown, one.coverage)
    first, second = (ready(host, "hilda13").values(a) for a in (one, two))
    assert all(np.array_equal(first[name], second[name]) for name in first)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_ice_of_jules_is_all_or_nothing(seed: int) -> None:
    ice = ready("jules").values(random_areas(seed, "hilda8"))["frac_ice"]
    assert set(ice) <= {0.0, 1.0}


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=50)
def test_ctsm_sums_within_a_landunit_to_1e_13_in_any_order(seed: int) -> None:
    found = ready("ctsm").values(random_areas(seed, "hilda8"))
    pfts = np.stack([found[f"PCT_NAT_PFT_{i}"] for i in range(15)])
    cfts = np.stack([found["PCT_CFT_15"], found["PCT_CFT_16"]])
    order = np.random.default_rng(seed).permutation(15)
    for whole in (sum(pfts), sum(pfts[order]), pfts.sum(axis=0), sum(cfts)):
        assert np.abs(whole / 100 - 1).max() <= 1e-13


def test_noahmp_covers_follow_from_its_own_leaf_and_stem_areas() -> None:
    covers = {cover.name: cover.properties for cover in table("noahmp").cover}
    # evergreen broadleaf: 4.5 and 0.5 all year
    steady = 1 - np.exp(-0.52 * 5.0)
    assert covers["evergreen_broadleaf"]["cover"] == pytest.approx(steady, abs=5e-4)
    assert covers["evergreen_broadleaf"]["cover_min"] == pytest.approx(steady, abs=5e-4)
    # cropland: 0 and 0.3 in January, 3.0 and 0.5 in August; six months of leaves sum to 10.5
    assert covers["cropland"]["cover_min"] == pytest.approx(1 - np.exp(-0.52 * 0.3), abs=5e-4)
    assert covers["cropland"]["cover_max"] == pytest.approx(1 - np.exp(-0.52 * 3.5), abs=5e-4)
    assert covers["cropland"]["lai"] == pytest.approx(10.5 / 12)
    for bare in ("barren", "snow_ice", "urban", "barren_tundra"):
        assert covers[bare]["cover"] == covers[bare]["lai"] == 0.0


def test_types_of_ctsm_stand_in_the_order_of_its_technical_note() -> None:
    acronyms = [
        "bare", "NET Temperate", "NET Boreal", "NDT Boreal", "BET Tropical", "BET Temperate",
        "BDT Tropical", "BDT Temperate", "BDT Boreal", "BES Temperate", "BDS Temperate",
        "BDS Boreal", "C3 arctic", "C3 grass", "C4 grass", "crop rainfed", "crop irrigated",
    ]  # fmt: skip
    covers = [cover for cover in table("ctsm").cover if cover.type is not None]
    assert [cover.type for cover in covers] == list(range(17))
    assert [cover.name for cover in covers] == [a.lower().replace(" ", "_") for a in acronyms]


def test_albedo_of_speedys_covers_is_that_of_its_own_surface_file(real_data: Path) -> None:
    path = real_data / "hosts" / "speedy_surface_t30.nc"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    with netCDF4.Dataset(path) as file:
        lsm, high, low, alb = (np.array(file[n][:], float) for n in ("lsm", "vegh", "vegl", "alb"))
        weight = np.sqrt(np.cos(np.radians(np.array(file["lat"][:]))))[:, None] * np.ones_like(lsm)
    land = (lsm > 0.5) & (alb < 0.4)
    parts = np.stack([high[land], low[land], 1 - high[land] - low[land]], axis=1)
    sides = parts * weight[land][:, None], alb[land] * weight[land]
    fitted = np.linalg.lstsq(*sides, rcond=None)[0]
    covers = {cover.name: cover.properties.get("albedo") for cover in table("speedy").cover}
    assert [covers["high"], covers["low"], covers["bare"]] == pytest.approx(fitted, abs=0.005)


def test_usgs_covers_follow_from_their_own_leaf_and_stem_areas() -> None:
    covers = {cover.name: cover for cover in table("noahmp_usgs").cover}
    # evergreen needleleaf: 4.0 all year, stems 0.3 in April and 0.7 in October
    wood = covers["evergreen_needleleaf"]
    assert wood.type == 14 and wood.properties["lai"] == 4.0
    assert wood.properties["cover_min"] == pytest.approx(1 - np.exp(-0.52 * 4.3), abs=5e-4)
    assert wood.properties["cover_max"] == pytest.approx(1 - np.exp(-0.52 * 4.7), abs=5e-4)
    # dryland cropland: six months of leaves sum to 10.5; albedo .17 to .23
    crop = covers["dry_cropland"]
    assert crop.type == 2 and crop.properties["lai"] == 0.875
    assert crop.properties["albedo"] == 0.2 and crop.properties["albedo_percent"] == 20
