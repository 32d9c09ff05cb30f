"""Land cover: crop types, irrigation and ice, and nothing where nothing tells them."""

from pathlib import Path

import numpy as np
import pytest

from landstep.emulator.classes import MASKED, scheme
from landstep.emulator.errors import ConfigError, InputError
from landstep.emulator.experiment import load_experiment
from landstep.emulator.inputs import open_inputs
from landstep.emulator.land_cover import CROPS, LandCover, irrigated_share, land_cover

OF = scheme("hilda13")
CROPLAND, FOREST, BARE = (OF.names.index(n) for n in ("cropland", "forest_mixed", "other_land"))
ROW, COL = np.array([0, 0, 1]), np.array([0, 0, 1, 1])
LAND = np.array(
    [
        [CROPLAND, FOREST, CROPLAND, BARE],
        [CROPLAND, BARE, FOREST, MASKED],
        [CROPLAND, 0, BARE, CROPLAND],
    ],
    np.uint8,
)
NAN = float("nan")
# Coarse cells: a fifth of the crops is C4; all C3; none; missing
FORCING = {
    "c3ann": np.array([[0.10, 0.2], [0.0, NAN]], np.float32),
    "c3per": np.array([[0.20, 0.0], [0.0, NAN]], np.float32),
    "c3nfx": np.array([[0.10, 0.0], [0.0, NAN]], np.float32),
    "c4ann": np.array([[0.05, 0.0], [0.0, NAN]], np.float32),
    "c4per": np.array([[0.05, 0.0], [0.0, NAN]], np.float32),
    "urban": np.array([[0.10, 0.1], [0.1, NAN]], np.float32),
}
MANAGED = FORCING | {
    f"irrig_{crop}": np.full((2, 2), 1.0 if crop == "c4per" else 0.5, np.float32) for crop in CROPS
}


def test_cropland_takes_the_crop_types_of_its_coarse_cell() -> None:
    """By hand; unknown where the forcing has no crops (row 2, column 0) or is missing."""
    cover = land_cover(LAND, OF, FORCING, ROW, COL)
    assert cover.c3_crops is not None and cover.c4_crops is not None
    c3 = [[0.8, 0, 1, 0], [0.8, 0, 0, NAN], [NAN, 0, 0, NAN]]
    c4 = [[0.2, 0, 0, 0], [0.2, 0, 0, NAN], [NAN, 0, 0, NAN]]
    assert np.allclose(cover.c3_crops, c3, atol=1e-6, equal_nan=True)
    assert np.allclose(cover.c4_crops, c4, atol=1e-6, equal_nan=True)
    assert cover.c3_crops.dtype == cover.c4_crops.dtype == np.float32


def test_irrigation_is_weighted_by_the_area_of_each_crop() -> None:
    """By hand: (0.45 x 0.5 + 0.05 x 1) / 0.5 = 0.55 of the first coarse cell's crops."""
    cover = land_cover(LAND, OF, MANAGED, ROW, COL)
    expected = [[0.55, 0, 0.5, 0], [0.55, 0, 0, NAN], [NAN, 0, 0, NAN]]
    assert cover.irrigated_crops is not None
    assert np.allclose(cover.irrigated_crops, expected, atol=1e-6, equal_nan=True)


def test_what_nothing_tells_is_not_given() -> None:
    """Without the five crop types, a management file or a zone of ice there is no layer."""
    lumped = {"crops": np.full((2, 2), 0.5, np.float32)}
    cover = land_cover(LAND, OF, lumped, ROW, COL)
    assert cover.c3_crops is cover.c4_crops is cover.irrigated_crops is cover.permanent_ice is None
    partly = {name: field for name, field in FORCING.items() if name != "c4per"}
    assert land_cover(LAND, OF, partly, ROW, COL).c3_crops is None
    polar = np.ones(LAND.shape, np.uint8)
    names = {1: "polar_moist"}
    cover = land_cover(LAND, OF, FORCING, ROW, COL, zone=polar, zone_names=names)
    assert cover.permanent_ice is None


def test_ice_lies_on_other_land_where_mask_or_zone_says() -> None:
    """By hand: EF by its name whatever its code; a mask goes before the zone; forest is no ice."""
    zone = np.array([[29, 29, 29, 29], [30, 30, 30, 30], [30, 30, 29, 29]], np.uint8)
    of_29 = [[0, 0, 0, 1], [0, 0, 0, NAN], [0, 0, 1, 0]]
    of_30 = [[0, 0, 0, 0], [0, 1, 0, NAN], [0, 0, 0, 0]]
    for names, expected in (({29: "EF", 30: "ET"}, of_29), ({29: "ET", 30: "EF"}, of_30)):
        cover = land_cover(LAND, OF, FORCING, ROW, COL, zone=zone, zone_names=names)
        assert np.array_equal(cover.permanent_ice, expected, equal_nan=True)
    mask = zone == 30
    cover = land_cover(LAND, OF, FORCING, ROW, COL, ice_mask=mask, zone=zone)
    assert np.array_equal(cover.permanent_ice, of_30, equal_nan=True)


def test_a_map_cut_into_strips_has_the_same_cover() -> None:
    """Bit for bit: each cell stands for itself."""
    whole = land_cover(LAND, OF, MANAGED, ROW, COL, ice_mask=LAND == BARE)
    parts = [
        land_cover(LAND[cut], OF, MANAGED, ROW[cut], COL, ice_mask=LAND[cut] == BARE)
        for cut in (slice(0, 1), slice(1, 3))
    ]
    for layer in LandCover.__dataclass_fields__:
        joined = np.concatenate([getattr(part, layer) for part in parts])
        assert np.array_equal(joined, getattr(whole, layer), equal_nan=True)


def test_the_made_up_world_has_crop_types_on_its_cropland(world: Path) -> None:
    """C4 is 0.12 to 0.38 of crops by docs/made-up-world.md; nothing tells ice or irrigation."""
    inputs = open_inputs(load_experiment(world / "experiment.toml"))
    year = 2015
    land = inputs.land_use.map(year)
    forcing = dict(zip(inputs.forcing.states, inputs.forcing.year(year), strict=True))
    cover = land_cover(land, inputs.scheme, forcing, inputs.row, inputs.col)
    crops = land == inputs.scheme.names.index("cropland")
    assert cover.c3_crops is not None and cover.c4_crops is not None and crops.any()
    told = crops & np.isfinite(cover.c4_crops)
    assert told.sum() == crops.sum()
    assert cover.c4_crops[told].min() >= 0.12 - 1e-6 and cover.c4_crops[told].max() <= 0.38 + 1e-6
    assert np.allclose(cover.c3_crops + cover.c4_crops, crops, atol=1e-6)
    assert cover.irrigated_crops is None and cover.permanent_ice is None


def test_a_koeppen_map_names_its_ice_by_zone(real_data: Path) -> None:
    """Greenland's middle (72 N, 40 W) is EF, the Sahara (22 N, 10 E) is not."""
    with np.load(real_data / "global" / "koppen_geiger_0p5deg.npz") as file:
        zone, names = file["code"], dict(enumerate(map(str, file["names"])))
        lat, lon = file["lat"], file["lon"]
    bare = np.full(zone.shape, BARE, np.uint8)
    forcing = {crop: np.zeros((1, 1), np.float32) for crop in CROPS}
    one = [np.zeros(n, np.int64) for n in zone.shape]
    ice = land_cover(bare, OF, forcing, *one, zone=zone, zone_names=names).permanent_ice
    assert ice is not None
    for at, expected in (((72, -40), 1), ((22, 10), 0)):
        assert ice[np.abs(lat - at[0]).argmin(), np.abs(lon - at[1]).argmin()] == expected


def test_land_cover_of_another_scheme_is_refused() -> None:
    """Southern Sweden's series has no class that holds ice."""
    with pytest.raises(ConfigError, match="sweden5 has no class 'other_land'"):
        land_cover(LAND, scheme("sweden5"), FORCING, ROW, COL)


def test_fields_that_do_not_fit_are_refused() -> None:
    """Each is named, with its shape or code."""
    with pytest.raises(InputError, match=r"land_use is \(2, 4\), expected \(3, 4\)"):
        land_cover(LAND[:2], OF, FORCING, ROW, COL)
    with pytest.raises(InputError, match=r"ice_mask is \(4,\)"):
        land_cover(LAND, OF, FORCING, ROW, COL, ice_mask=np.ones(4, bool))
    zone = np.full(LAND.shape, 7, np.uint8)
    with pytest.raises(ConfigError, match="say what each of its codes means"):
        land_cover(LAND, OF, FORCING, ROW, COL, zone=zone)
    with pytest.raises(InputError, match="zone code 7 has no name"):
        land_cover(LAND, OF, FORCING, ROW, COL, zone=zone, zone_names={1: "EF"})


@pytest.mark.parametrize("lost", ["irrig_c3per", "c4ann"])
def test_irrigation_of_some_crops_only_is_refused(lost: str) -> None:
    """Half a management file would count the rest as dry."""
    with pytest.raises(InputError, match=f"not '{lost}'"):
        irrigated_share({name: field for name, field in MANAGED.items() if name != lost})
