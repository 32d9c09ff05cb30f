"""Legends of climate-zone maps: whole, sourced, and true to their files."""

import numpy as np
import pytest

from landstep.emulator.errors import ConfigError, InputError
from landstep.emulator.koppen import KOPPEN_NAMES
from landstep.emulator.legends import ZONE_GROUPS, legend, legend_names, parse_legend

ROW = (
    '[[code]]\ncode = {code}\nname = "all"\ngroup = "{group}"\nkoppen = {koppen}\nsource = "{by}"\n'
)
ALL = list(KOPPEN_NAMES[1:])


def test_the_groups_have_fixed_names_in_a_fixed_order():
    assert ZONE_GROUPS == (
        "tropical", "arid_hot", "arid_cold", "temperate_dry", "temperate", "continental", "boreal",
        "polar", "unknown",
    )  # fmt: skip
    assert legend_names() == ["ipcc", "koppen_geiger", "made_up"]


def test_koppen_classes_are_their_own_codes_and_fall_into_groups_by_their_letters():
    of = legend("koppen_geiger")
    assert of.code_of_koppen.tolist() == list(range(31))
    by_hand = {
        "tropical": "Af Am Aw", "arid_hot": "BWh BSh", "arid_cold": "BWk BSk",
        "temperate_dry": "Csa Csb Csc", "temperate": "Cwa Cwb Cwc Cfa Cfb Cfc",
        "continental": "Dsa Dsb Dwa Dwb Dfa Dfb", "boreal": "Dsc Dsd Dwc Dwd Dfc Dfd",
        "polar": "ET EF",
    }  # fmt: skip
    found = of.groups(np.arange(31, dtype=np.uint8)[None])[0]
    assert ZONE_GROUPS[found[0]] == "unknown"
    for group, names in by_hand.items():
        for name in names.split():
            assert ZONE_GROUPS[found[KOPPEN_NAMES.index(name)]] == group
    assert of.names == dict(enumerate(KOPPEN_NAMES[1:], 1))


@pytest.mark.parametrize("name", ["ipcc", "koppen_geiger", "made_up"])
def test_every_climate_has_a_code_and_every_code_a_group(name):
    of = legend(name)
    assert of.code_of_koppen[0] == 0 and set(of.code_of_koppen[1:]) <= set(of.names)
    assert of.code_of_koppen.dtype == np.uint8 and of.code_of_koppen.shape == (31,)
    codes = np.array([[0, *of.names]], np.uint8)
    groups = of.groups(codes)
    assert groups.dtype == np.uint8 and (groups[0, 1:] < len(ZONE_GROUPS) - 1).all()
    with pytest.raises(ValueError, match="read-only"):
        of.code_of_koppen[1] = 2


def test_warmth_and_cold_survive_the_way_from_koppen_to_a_legend():
    """A is tropical everywhere, E polar; D never becomes tropical, nor A polar."""
    for name in legend_names():
        of = legend(name)
        group = {k: ZONE_GROUPS[of.group_of[of.code_of_koppen[n]]] for n, k in enumerate(ALL, 1)}
        assert {group[k] for k in ALL if k[0] == "A"} == {"tropical"}
        assert {group[k] for k in ALL if k[0] == "E"} == {"polar"}
        assert not {group[k] for k in ALL if k[0] == "D"} & {"tropical", "arid_hot", "polar"}


def test_a_code_that_the_legend_lacks_is_named():
    codes = np.array([[1, 5], [6, 0]], np.uint8)
    with pytest.raises(InputError, match=r"code 6 at cell \(1, 0\) is not in legend made_up"):
        legend("made_up").groups(codes)


def test_an_unknown_legend_is_named_with_the_one_that_was_meant():
    with pytest.raises(ConfigError, match=r"'koppen-geiger' is not known \(did you mean 'koppen_"):
        legend("koppen-geiger")
    with pytest.raises(ConfigError, match=r"'x' is not known; there are \['ipcc', 'koppen_geiger"):
        legend("x")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"code": 0}, "code 0: expected each of 1 to 254"),
        ({"code": 255}, "code 255: expected each of 1 to 254"),
        ({"group": "warm"}, "code 1: group 'warm', expected one of"),
        ({"by": " "}, "code 1: no source"),
        ({"koppen": ["Af", "Xx"]}, "Köppen class 'Xx', expected each of"),
        ({"koppen": ["Af", "Af"]}, "Köppen class 'Af', expected each of .* once"),
        ({"koppen": ALL[1:]}, r"Köppen classes \['Af'\] become no code"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(change, words):
    row = ROW.format(**{"code": 1, "group": "polar", "koppen": ALL, "by": "us"} | change)
    with pytest.raises(ConfigError, match=words):
        parse_legend("bad", row)


def test_a_code_that_stands_twice_is_refused():
    row = ROW.format(code=1, group="polar", koppen=[], by="us")
    with pytest.raises(ConfigError, match="code 1: expected each of 1 to 254 at most once"):
        parse_legend("bad", row + row)


def test_the_ipcc_codes_mean_what_the_real_file_holds(real_data):
    """By climate: Sahara tropical dry, Amazon tropical wet, Siberia boreal, and so on."""
    rasterio = pytest.importorskip("rasterio")
    with rasterio.open(real_data / "global" / "ipcc_climate_zones_5arcmin.tif") as file:
        codes = file.read(1)
    names = legend("ipcc").names
    assert set(np.unique(codes)) <= {0, *names, 15}
    for lat, lon, name in (
        (23.0, 10.0, "tropical_dry"),  # Sahara
        (-3.0, -65.0, "tropical_wet"),  # Amazon
        (9.0, 20.0, "tropical_moist"),  # Chad
        (-1.3, 36.8, "tropical_montane"),  # Nairobi
        (34.0, -86.0, "warm_temperate_moist"),  # Alabama
        (38.5, -5.0, "warm_temperate_dry"),  # Spain
        (57.0, 14.0, "cool_temperate_moist"),  # Sweden
        (48.0, 70.0, "cool_temperate_dry"),  # Kazakhstan
        (65.0, 90.0, "boreal_moist"),  # Siberia
        (64.0, 125.0, "boreal_dry"),  # Yakutia
        (75.0, 100.0, "polar_moist"),  # Taimyr
        (34.0, 82.0, "polar_dry"),  # Tibet
    ):
        code = int(codes[int((90 - lat) * 12), int((lon + 180) * 12)])
        assert names[code] == name, (lat, lon, code)


def test_the_names_are_those_of_a_real_map_of_classes(real_data):
    """It is of another maker: with As, which is Aw here, without Dsd, numbered by the alphabet."""
    with np.load(real_data / "global" / "koppen_geiger_0p5deg.npz") as file:
        names = [str(name) for name in file["names"]]
    assert set(names) - set(KOPPEN_NAMES) == {"nodata", "As"}
    assert set(KOPPEN_NAMES) - set(names) == {"", "Dsd"}
    assert names[1:] != list(KOPPEN_NAMES[1:])
