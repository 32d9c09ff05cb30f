"""Cells worked by hand for each host whose table comes with landstep."""

from __future__ import annotations

import numpy as np
import pytest

from landstep.coupling.anomaly import Anomaly
from landstep.coupling.areas import ZONE_GROUPS, Areas
from landstep.coupling.crosswalk import Crosswalk
from landstep.coupling.host_table import host_table
from landstep.coupling.monthly_maps import MonthlyMap
from landstep.coupling.table_entries import HostTable
from landstep.emulator.classes import scheme


def table(host: str) -> HostTable:
    return host_table(host, ".")


def ready(host: str, of: str = "hilda8") -> Crosswalk:
    return Crosswalk.make(table(host), scheme(of), legend_known=True)


def areas(cells: list[dict[tuple[str, str], int]], of: str = "hilda8") -> Areas:
    """Areas of points, each {(class, zone group): area}."""
    names = scheme(of).names
    values = np.zeros((len(cells), len(ZONE_GROUPS), len(names)), np.int64)
    for point, cell in enumerate(cells):
        for (name, zone), area in cell.items():
            values[point, ZONE_GROUPS.index(zone), names.index(name)] = area
    return Areas.make(values, np.zeros(len(cells), np.int64), np.ones(len(cells)))


def fields(host: str, cell: dict[tuple[str, str], int], of: str = "hilda8") -> dict[str, float]:
    """Annual fields of one point."""
    return {name: float(v[0]) for name, v in ready(host, of).values(areas([cell], of)).items()}


def nonzero(values: dict[str, float], prefix: str) -> dict[str, float]:
    return {name: v for name, v in values.items() if name.startswith(prefix) and v != 0}


# Half cropland, half forest of unknown type in the boreal zone: .65 evergreen needleleaf, .2
# deciduous needleleaf, .15 deciduous broadleaf (the tables' boreal forest)

HALF = {("cropland", "boreal"): 500, ("forest", "boreal"): 500}


def test_ctsm_splits_landunits_first_and_types_within_them() -> None:
    found = fields("ctsm", HALF)
    assert nonzero(found, "PCT_NAT_PFT") == pytest.approx(
        {"PCT_NAT_PFT_2": 65.0, "PCT_NAT_PFT_3": 20.0, "PCT_NAT_PFT_8": 15.0}
    )
    assert nonzero(found, "PCT_CFT") == {"PCT_CFT_15": 100.0}
    assert found["PCT_CROP"] == 50.0 and found["PCT_NATVEG"] == 50.0
    assert found["PCT_LAKE"] == found["PCT_GLACIER"] == found["PCT_URBAN_3"] == 0.0


def test_jsbach_shares_the_vegetated_part_between_tiles() -> None:
    found = fields("jsbach", HALF)
    # .325 evergreen; .1 + .075 deciduous, needleleaf and broadleaf; half crops
    expected = {"cover_fract_3": 0.325, "cover_fract_4": 0.175, "cover_fract_11": 0.5}
    assert nonzero(found, "cover_fract") == pytest.approx(expected)
    assert found["veg_ratio_max"] == 1.0


def test_jules_has_needleleaf_and_broadleaf_trees_and_grass_for_crops() -> None:
    expected = {"frac_nt": 0.425, "frac_bt": 0.075, "frac_c3": 0.5}
    assert nonzero(fields("jules", HALF), "frac") == pytest.approx(expected)


def test_noahmp_takes_the_largest_type_and_the_mean_of_covers() -> None:
    found = fields("noahmp", HALF)
    assert found["IVGTYP"] == 12.0  # half cropland; evergreen needleleaf has .325
    # largest month of 1 - exp(-.52 (LAI + SAI)): crops (3.0, .5 in August) .838, evergreen
    # needleleaf (4.0, .7 in October) .913, deciduous needleleaf (2.6, 1.3) .868, broadleaf
    # (4.5, .9 in July; 4.7, .4 in June is less) .940
    expected = 100 * (0.5 * 0.838 + 0.325 * 0.913 + 0.1 * 0.868 + 0.075 * 0.940)
    assert found["SHDMAX"] == pytest.approx(expected, abs=0.06)
    assert found["SHDMIN"] < found["VEGFRA"] < found["SHDMAX"]


def test_speedy_has_half_high_and_half_low_vegetation() -> None:
    found = fields("speedy", HALF)
    assert (found["vegh"], found["vegl"]) == (0.5, 0.5)
    assert found["alb"] == pytest.approx(0.16)  # half 0.12, half 0.20


def test_plasim_mixes_roughness_and_field_capacity_by_area() -> None:
    found = fields("plasim", HALF)
    assert found["dforest"] == 0.5
    assert found["dz0clim"] == pytest.approx((2.0 + 0.05) / 2)
    assert found["dwmax"] == pytest.approx((0.5 + 0.275) / 2)


# Other cells


def test_ctsm_counts_lakes_and_towns_as_land_and_the_sea_as_none() -> None:
    cell = {
        ("ocean", "unknown"): 700, ("water", "temperate"): 60, ("urban", "temperate"): 30,
        ("other_land", "temperate"): 210,
    }  # fmt: skip
    found = fields("ctsm", cell)
    assert found["PCT_LAKE"] == pytest.approx(20.0) and found["PCT_URBAN_3"] == pytest.approx(10.0)
    assert found["PCT_NATVEG"] == pytest.approx(70.0) and found["PCT_NAT_PFT_0"] == 100.0
    assert found["PCT_CFT_15"] == 100.0 and found["PCT_CROP"] == 0.0  # no crops: the fill


def test_climate_splits_grass_into_c3_and_c4_and_forest_into_tropical_and_boreal() -> None:
    tropics = {("pasture", "tropical"): 50, ("forest", "tropical"): 50}
    ctsm = nonzero(fields("ctsm", tropics), "PCT_NAT_PFT")
    # half pasture of .2 C3 and .8 C4, half forest of .75 evergreen and .25 deciduous broadleaf
    assert ctsm == pytest.approx(
        {"PCT_NAT_PFT_13": 10.0, "PCT_NAT_PFT_14": 40.0, "PCT_NAT_PFT_4": 37.5,
         "PCT_NAT_PFT_6": 12.5}
    )  # fmt: skip
    jsbach = nonzero(fields("jsbach", tropics), "cover_fract")
    assert jsbach == pytest.approx(
        {"cover_fract_9": 0.1, "cover_fract_10": 0.4, "cover_fract_1": 0.375,
         "cover_fract_2": 0.125}
    )  # fmt: skip
    jules = nonzero(fields("jules", tropics), "frac")
    assert jules == pytest.approx({"frac_c3": 0.1, "frac_c4": 0.4, "frac_bt": 0.5})
    assert fields("noahmp", {("forest", "tropical"): 1})["IVGTYP"] == 2.0
    assert fields("noahmp", {("forest", "continental"): 1})["IVGTYP"] == 5.0
    assert fields("noahmp", {("grass_shrub", "polar"): 1})["IVGTYP"] == 19.0


def test_a_known_leaf_type_is_taken_whatever_the_zone_mixes() -> None:
    larch = {("forest_deciduous_needleleaf", "boreal"): 1}
    assert fields("ctsm", larch, "hilda13")["PCT_NAT_PFT_3"] == 100.0
    assert fields("jsbach", larch, "hilda13")["cover_fract_4"] == 1.0
    assert fields("jules", larch, "hilda13")["frac_nt"] == 1.0
    assert fields("noahmp", larch, "hilda13")["IVGTYP"] == 3.0
    mixed = {("forest_mixed", "temperate"): 1}
    found = fields("jules", mixed, "hilda13")
    assert (found["frac_nt"], found["frac_bt"]) == (0.5, 0.5)


def test_jsbach_keeps_bare_land_out_of_the_tiles() -> None:
    desert = {("other_land", "arid_hot"): 60, ("pasture", "arid_hot"): 40}
    found = fields("jsbach", desert)
    assert found["veg_ratio_max"] == pytest.approx(0.28)  # 40 % of which .7 is vegetated
    tiles = nonzero(found, "cover_fract")
    assert tiles == pytest.approx({"cover_fract_9": 0.3, "cover_fract_10": 0.7})
    alone = fields("jsbach", {("other_land", "arid_hot"): 1})
    assert alone["veg_ratio_max"] == 0.0 and nonzero(alone, "cover_fract") == {"cover_fract_7": 1.0}


def test_no_ice_is_made_up() -> None:
    bare = {("other_land", "polar"): 1}
    assert fields("jules", bare)["frac_ice"] == 0.0 and fields("jules", bare)["frac_soil"] == 1.0
    assert fields("ctsm", bare)["PCT_GLACIER"] == 0.0
    assert fields("noahmp", bare)["IVGTYP"] == 20.0


def baselines(host: str, given: dict[str, float]) -> dict[str, np.ndarray]:
    """One point's own annual fields: fills, but for those given."""
    annual = [field for field in table(host).field if field.schedule == "annual"]
    return {f.name: np.array([given.get(f.name, 0.0 if given else f.fill)]) for f in annual}


BEFORE, AFTER = (
    areas([{("other_land", "polar"): 90 - moved, ("pasture", "boreal"): 10 + moved}])
    for moved in (0, 20)
)


def served(host: str, given: dict[str, float]) -> dict[str, float]:
    """What one point gets when a fifth of its land turns from sparse land to pasture."""
    anomaly = Anomaly.make(ready(host), baselines(host, given), BEFORE)
    return {name: float(v[0]) for name, v in anomaly.values(AFTER).values.items()}


def test_a_glacier_of_ctsm_stays_while_the_land_around_it_moves() -> None:
    own = {"PCT_GLACIER": 40.0, "PCT_NATVEG": 60.0, "PCT_NAT_PFT_0": 100.0, "PCT_CFT_15": 100.0}
    found = served("ctsm", own)
    assert (found["PCT_GLACIER"], found["PCT_NATVEG"]) == (40.0, 60.0)
    assert found["PCT_NAT_PFT_0"] == pytest.approx(80.0)  # 100 + (70 - 90)
    assert found["PCT_NAT_PFT_12"] == pytest.approx(20.0)
    assert found["PCT_CFT_15"] == 100.0 and found["PCT_CROP"] == 0.0


def test_an_ice_box_of_jules_stays_ice_and_another_has_none() -> None:
    assert nonzero(served("jules", {"frac_ice": 1.0}), "frac") == {"frac_ice": 1.0}
    land = nonzero(served("jules", {"frac_soil": 0.5, "frac_shrub": 0.5}), "frac")
    assert land == pytest.approx({"frac_soil": 0.3, "frac_shrub": 0.5, "frac_c3": 0.2})


def test_more_grass_greens_a_cell_of_noahmp_whose_type_stays() -> None:
    own = {"IVGTYP": 15.0, "VEGFRA": 1.0, "SHDMAX": 2.0, "SHDMIN": 0.0, "LANDUSEF_15": 1.0}
    found = served("noahmp", own)
    assert found["IVGTYP"] == 15.0  # its own snow and ice: landstep's barren tundra did not change
    grass = {c.name: c.properties for c in table("noahmp").cover}["grassland"]
    tundra = {c.name: c.properties for c in table("noahmp").cover}["barren_tundra"]
    greener = 100 * 0.2 * (grass["cover_max"] - tundra["cover_max"])
    assert found["SHDMAX"] == pytest.approx(2.0 + greener)


def test_deforestation_brightens_speedy_from_its_own_albedo() -> None:
    forest, crops = (
        {("forest", "temperate"): 10 - n, ("cropland", "temperate"): n} for n in (0, 5)
    )
    own = baselines("speedy", {"vegh": 0.9, "vegl": 0.05, "alb": 0.15})
    found = Anomaly.make(ready("speedy"), own, areas([forest])).values(areas([crops])).values
    assert float(found["vegh"][0]) == pytest.approx(0.4)
    assert float(found["vegl"][0]) == pytest.approx(0.55)
    assert float(found["alb"][0]) == pytest.approx(0.15 + 0.5 * (0.20 - 0.12))


BIG = 10**12
"""An area of a large cell: means over points are weighted in steps of 0.06 m2."""


def months(host: str, name: str, own: dict[str, np.ndarray], before: Areas, after: Areas):
    """A host's own monthly map, moved from one map of the land to another: (n, 12)."""
    walk = ready(host)
    monthly = MonthlyMap.make(walk, name, own, before)
    annual = {key: values for key, values in own.items() if values.ndim == 1}
    served = Anomaly.make(walk, annual, before).values(after).values
    return monthly.values(monthly.means_from(monthly.sums()), after, served)[0]


def test_albedo_of_plasim_follows_the_forest_with_the_zones_own_albedo() -> None:
    forest, crops = {("forest", "temperate"): BIG}, {("cropland", "temperate"): BIG}
    half = {("forest", "temperate"): BIG // 2, ("cropland", "temperate"): BIG // 2}
    season = np.linspace(0.0, 0.02, 12)
    own = {"dalbcl": np.stack([0.10 + season, 0.25 - season])}
    moved = months("plasim", "dalbcl", own, areas([forest, crops]), areas([half, crops]))
    # half of the first cell turns from what forest to what crops look like in each month
    assert moved[0] == pytest.approx(0.5 * (0.10 + season) + 0.5 * (0.25 - season), abs=1e-6)
    assert np.array_equal(moved[1], own["dalbcl"][1])


def test_leaves_of_noahmp_follow_the_type_with_the_zones_own_months() -> None:
    forest, crops = {("forest", "boreal"): BIG}, {("cropland", "boreal"): BIG}
    summer = np.array([0, 0, 0, 0, 1, 2, 3, 3, 1.5, 0, 0, 0])
    own = {"IVGTYP": np.array([1, 12]), "LAI": np.stack([np.full(12, 4.0), summer])}
    own |= {name: np.array([50.0, 50.0]) for name in ("VEGFRA", "SHDMAX", "SHDMIN")}
    moved = months("noahmp", "LAI", own, areas([forest, crops]), areas([crops, crops]))
    assert moved[0] == pytest.approx(summer, abs=1e-6)
    assert np.array_equal(moved[1], summer)


def test_leaves_of_jules_stay_those_of_their_type_when_its_share_moves() -> None:
    forest = {("forest", "tropical"): BIG}
    half = {("forest", "tropical"): BIG // 2, ("cropland", "tropical"): BIG // 2}
    own = baselines("jules", {"frac_bt": 1.0}) | {"lai_bt": np.full((1, 12), 4.5)}
    moved = months("jules", "lai_bt", own, areas([forest]), areas([half]))
    assert np.array_equal(moved, own["lai_bt"])
