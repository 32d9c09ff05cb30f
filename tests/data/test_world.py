"""A made-up world on disk: the formats of the real files, and what must hold in them."""

import json
from itertools import pairwise

import netCDF4
import numpy as np
import pytest

from landstep.data.suitability import N_CLASSES
from landstep.data.world import make_world
from landstep.emulator.classes import scheme
from landstep.emulator.errors import ConfigError, InputError
from landstep.emulator.experiment import load_experiment
from landstep.emulator.inputs import open_inputs
from landstep.emulator.koppen import koppen_geiger
from landstep.emulator.legends import legend
from landstep.emulator.netcdf import NetcdfFile

SHAPE = (240, 300)
CROPS = ["c3ann", "c4ann", "c3per", "c4per", "c3nfx"]
STATES = ["primf", "primn", "secdf", "secdn", "urban", *CROPS, "pastr", "range"]
# Codes of HILDA+ (Winkler et al. 2021) and the numbers of scheme hilda8
NUMBER = {0: 0, 11: 1, 22: 2, 33: 3, **dict.fromkeys(range(40, 46), 4), 55: 5, 66: 6, 77: 7}
FILES = ["states_history.nc", "states_scenario.nc", "hildaplus.nc", "topography.nc", "soil.nc",
         "zones.nc", "climate.nc"]  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    out = tmp_path_factory.mktemp("world")
    make_world(out, seed=3, shape=SHAPE)
    return out


def raw(path):
    """Every variable as stored, without masks or scaling: name -> array."""
    with netCDF4.Dataset(path) as file:
        file.set_auto_maskandscale(False)
        return {name: variable[...] for name, variable in file.variables.items()}


@pytest.fixture(scope="module")
def history(world):
    return raw(world / "states_history.nc")


@pytest.fixture(scope="module")
def scenario(world):
    return raw(world / "states_scenario.nc")


@pytest.fixture(scope="module")
def codes(world):
    return raw(world / "hildaplus.nc")["LULC_states"]


def cells(codes, which):
    """Cells of a coarse cell whose code is one of `which`, counted block by block."""
    ny, nx = codes.shape
    return np.array(
        [
            [np.isin(codes[i : i + 30, j : j + 30], which).sum() for j in range(0, nx, 30)]
            for i in range(0, ny, 30)
        ]
    )


def both(history, scenario, states):
    """Sum of some states, 1980 to 2100, float64, land cells only."""
    land = history["primf"][0] < 1e19
    total = [
        sum(file[s][:, land].astype(np.float64) for s in states) for file in (history, scenario)
    ]
    return np.concatenate([total[0], total[1][1:]])


def test_states_are_stored_as_luh2_stores_them(world, history, scenario):
    for name, years, origin in (
        ("states_history.nc", np.arange(1980, 2016), 850),
        ("states_scenario.nc", np.arange(2015, 2101), 2015),
    ):
        with netCDF4.Dataset(world / name) as file:
            time = file["time"]
            assert time.units == f"years since {origin}-01-01 0:0:0"
            assert time.calendar == "noleap" and time.dtype == np.float64
            assert np.array_equal(time[:], years - origin)
            assert set(file.variables) == {"time", "lat", "lon", "secma", "secmb", *STATES}
            for state in [*STATES, "secma", "secmb"]:
                variable = file[state]
                assert variable.dimensions == ("time", "lat", "lon")
                assert variable.dtype == np.float32
                assert "_FillValue" not in variable.ncattrs()
                assert variable.missing_value == variable._Fillvalue == np.float32(1e20)
        with NetcdfFile(world / name) as file:
            assert np.array_equal(file.years(), years)
    assert netCDF4.Dataset(world / "states_scenario.nc").scenario == "made-up-ssp"
    for state in STATES:
        assert np.array_equal(history[state][-1], scenario[state][0])


def test_coarse_cells_lie_on_the_quarter_degree_lattice(world, history):
    for axis, step in ((history["lat"], -0.25), (history["lon"], 0.25)):
        assert np.array_equal(np.diff(axis), np.full(axis.size - 1, step))
        assert np.array_equal(axis * 8 % 2, np.ones(axis.size))  # centres at odd eighths
    fine = raw(world / "soil.nc")["latitude"]
    assert fine[:30].mean() == pytest.approx(history["lat"][0], abs=1e-12)
    assert history["lat"].size * 30 == fine.size == SHAPE[0]


def test_states_sum_to_the_land_without_inland_water(history, scenario, codes):
    n_land = 900 - cells(codes[0], [0, 77])
    missing = cells(codes[0], [0]) == 900
    assert missing.any() and (~missing).any()
    for file in (history, scenario):
        total = sum(file[state].astype(np.float64) for state in STATES)
        assert np.array_equal(total > 1e19, np.broadcast_to(missing, total.shape))
        assert np.abs(total[:, ~missing] - n_land[~missing] / 900).max() < 1e-6
        assert min(file[state].min() for state in STATES) >= 0


def test_the_map_has_the_cells_that_the_forcing_asks_for_in_every_year(history, scenario, codes):
    missing = history["primf"][0] > 1e19
    for year in range(1985, 2031):
        file, at = (history, year - 1980) if year <= 2015 else (scenario, year - 2015)
        for code, states in ((11, ["urban"]), (22, CROPS), (33, ["pastr", "range"])):
            asked = np.rint(900 * sum(file[s][at].astype(np.float64) for s in states))
            assert np.array_equal(cells(codes[year - 1985], [code])[~missing], asked[~missing])


def test_most_yearly_changes_are_smaller_than_one_cell_and_a_few_much_larger(history, scenario):
    for states in (["urban"], CROPS, ["pastr", "range"]):
        change = np.abs(np.diff(both(history, scenario, states), axis=0)) * 900
        change = change[change > 1e-4]
        assert np.median(change) < 0.5
        assert (change < 1).mean() > 0.6
        assert np.percentile(change, 99) > 10 * np.median(change)


def test_primary_land_never_grows_and_no_trend_hits_an_end(history, scenario):
    assert np.diff(both(history, scenario, ["primf", "primn"]), axis=0).max() <= 1e-7
    land = both(history, scenario, STATES)
    used = both(history, scenario, ["urban", *CROPS, "pastr", "range"])
    assert (used < land).all()
    crops = both(history, scenario, CROPS)
    assert (crops[:, crops[0] > 0] > 0).all()


def test_land_use_is_annual_hildaplus_with_forest_types(world, codes):
    with NetcdfFile(world / "hildaplus.nc") as file:
        assert file.dims("LULC_states") == ("time", "latitude", "longitude")
        assert file.dtype("LULC_states") == np.uint8
        assert np.array_equal(file.years(), np.arange(1985, 2031))
        assert file.attrs("time")["units"] == "days since 1900-01-01"
    assert set(np.unique(codes)) <= set(NUMBER)
    assert {0, 11, 22, 33, 55, 66, 77} <= set(np.unique(codes))
    assert len(set(np.unique(codes)) & set(range(40, 46))) >= 3


def test_ocean_water_and_other_land_never_change(codes):
    for code in (0, 66, 77):
        assert ((codes == code) == (codes[0] == code)).all()


def test_a_few_per_cent_of_the_land_change_in_fifteen_years(codes):
    classes = np.vectorize(NUMBER.get, otypes=[np.uint8])(codes[[0, 15, 30, 45]])
    for before, after in pairwise(classes):
        assert 0.015 < (before != after)[before > 0].mean() < 0.06


def test_statics_agree_with_the_map_and_zones_move_slowly(world, codes):
    sea = codes[0] == 0
    topography, soil, zones = (raw(world / f"{n}.nc") for n in ("topography", "soil", "zones"))
    assert np.array_equal(topography["elevation"] > 1e19, sea)
    assert topography["elevation"][~sea].min() > 0
    assert netCDF4.Dataset(world / "topography.nc")["elevation"].standard_name == "surface_altitude"
    assert np.array_equal(soil["soil_texture"] == 0, sea) and soil["soil_texture"].max() <= 7
    zone = zones["climate_zone"]
    assert zone.shape == (4, *SHAPE) and zone.max() <= 5
    assert (zone == 0).all(axis=0).sum() == (zone == 0).any(axis=0).sum() == sea.sum()
    assert zones["period_bounds"].tolist() == [[1961, 1990], [1991, 2020], [2021, 2060],
                                               [2061, 2100]]  # fmt: skip
    for before, after in pairwise(zone):
        assert 0.001 < (before != after)[~sea].mean() < 0.15
    assert netCDF4.Dataset(world / "zones.nc").scenario == "made-up-ssp"


def test_the_zones_of_the_first_period_follow_from_the_climate(world):
    """By the legend, in most coarse cells the zone of most of their land; months are in order."""
    climate, zones = raw(world / "climate.nc"), raw(world / "zones.nc")["climate_zone"][0]
    temperature, rain = climate["air_temperature"], climate["precipitation_flux"]
    assert temperature.dtype == rain.dtype == np.float32
    assert temperature.shape == rain.shape == (12, 8, 10)
    assert np.array_equal(climate["lat"], raw(world / "states_history.nc")["lat"])
    assert (temperature.argmin(axis=0) == 0).all() and (temperature.argmax(axis=0) == 6).all()
    days = np.array([31, 28.2425, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])[:, None, None]
    classes = koppen_geiger(temperature - 273.15, rain * 86400.0 * days)
    codes = legend("made_up").code_of_koppen[classes]
    count = np.stack([cells(zones, [code]) for code in range(1, 6)])
    land = count.any(axis=0)
    assert (codes == 1 + count.argmax(axis=0))[land].mean() > 0.85
    with netCDF4.Dataset(world / "climate.nc") as file:
        assert file["air_temperature"].units == "K"
        assert file["precipitation_flux"].units == "kg m-2 s-1"
    experiment = load_experiment(world / "experiment.toml")
    assert experiment.climate.legend == "made_up"
    assert experiment.path(experiment.climate.reference) == world / "climate.nc"


def test_every_file_says_that_it_is_made_up_and_by_which_command(world):
    for name in FILES:
        with NetcdfFile(world / name) as file:
            attrs = file.attrs()
        assert "made-up" in attrs["title"]
        assert attrs["history"] == "landstep world OUT --seed 3 --size 240x300"


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(world, tmp_path):
    make_world(tmp_path / "again", seed=3, shape=SHAPE)
    make_world(tmp_path / "other", seed=4, shape=SHAPE)
    for name in FILES:
        first, again, other = (
            raw(f / name) for f in (world, tmp_path / "again", tmp_path / "other")
        )
        assert list(first) == list(again)
        assert all(first[v].tobytes() == again[v].tobytes() for v in first)
        assert any(first[v].tobytes() != other[v].tobytes() for v in first)
    for name in ("attainable.json", "README.txt", "experiment.toml"):
        assert (world / name).read_text() == (tmp_path / "again" / name).read_text()


def test_attainable_scores_stand_beside_persistence(world, codes):
    scores = json.loads((world / "attainable.json").read_text())
    classes = np.vectorize(NUMBER.get, otypes=[np.uint8])(codes)
    prior = classes[30]
    assert scores["land_cells"] == (prior > 0).sum()
    assert list(scores["targets"]) == ["2016", "2020", "2025", "2030"]
    for year, target in scores["targets"].items():
        truth = classes[int(year) - 1985]
        same = (prior == truth)[truth > 0].mean()
        assert target["changed_cells"] == (prior != truth).sum()
        assert target["persistence"]["accuracy"] == pytest.approx(same, abs=1e-6)
        assert target["persistence"]["figure_of_merit"] == 0
        merit = {
            name: target[name]["figure_of_merit"]
            for name in ("random_place", "noise_free", "vote", "best_attainable")
        }
        twin = target["twin"]["figure_of_merit"]
        assert merit["random_place"] < 0.5 * twin["mean"] and twin["sd"] > 0
        assert merit["best_attainable"] == max(merit["noise_free"], merit["vote"]) > twin["mean"]
        assert target["best_attainable"]["accuracy"] > target["persistence"]["accuracy"]
        assert all(metric in target["twin"] for metric in ("accuracy", "mean_iou"))


def test_a_world_in_thirteen_classes_differs_in_its_texts_only(tmp_path):
    """By hand: 44 before 2021 and 45 after is a change in hilda13, and none in hilda8."""
    for name in ("hilda8", "hilda13"):
        make_world(tmp_path / name, seed=3, shape=(60, 90), scheme_name=name)
    for name in FILES:
        assert (tmp_path / "hilda8" / name).read_bytes() == (
            tmp_path / "hilda13" / name
        ).read_bytes()
    experiment = load_experiment(tmp_path / "hilda13" / "experiment.toml")
    assert (experiment.land_use.scheme, experiment.model) == ("hilda13", "hilda13.onnx")
    codes = raw(tmp_path / "hilda13" / "hildaplus.nc")["LULC_states"]
    eight, thirteen = (
        json.loads((tmp_path / name / "attainable.json").read_text())
        for name in ("hilda8", "hilda13")
    )
    assert (eight["scheme"], thirteen["scheme"]) == ("hilda8", "hilda13")
    assert eight["land_cells"] == thirteen["land_cells"]
    land = codes[30] != 0
    for year, target in thirteen["targets"].items():
        truth = codes[int(year) - 1985]
        assert target["changed_cells"] == (codes[30] != truth).sum()
        assert target["persistence"]["accuracy"] == pytest.approx(
            (codes[30] == truth)[land].mean(), abs=1e-6
        )
        more = target["changed_cells"] - eight["targets"][year]["changed_cells"]
        assert more == 0 if int(year) < 2021 else more > 0
        for way in ("noise_free", "vote"):
            assert target[way]["accuracy"] == eight["targets"][year][way]["accuracy"]
    readme = (tmp_path / "hilda13" / "README.txt").read_text()
    assert "--size 60x90 --scheme hilda13" in readme and "the 13 of scheme hilda13" in readme


def test_a_scheme_that_cannot_read_the_maps_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"sweden5: cannot read.*\['hilda13', 'hilda8'\]"):
        make_world(tmp_path / "world", shape=(60, 60), scheme_name="sweden5")
    with pytest.raises(ConfigError, match="'hilda14' is not known"):
        make_world(tmp_path / "world", shape=(60, 60), scheme_name="hilda14")
    assert not (tmp_path / "world").exists()


def test_the_experiment_opens_and_its_parts_belong_together(world):
    experiment = load_experiment(world / "experiment.toml")
    assert experiment.model == "builtin:world"
    inputs = open_inputs(experiment)
    assert inputs.grid.shape == SHAPE
    assert inputs.land_use.years[0] == 1985 and inputs.land_use.years[-1] == 2030
    assert tuple(inputs.forcing.years) == (1980, 2100)
    assert inputs.forcing.scenario == inputs.statics.scenario == "made-up-ssp"
    assert np.array_equal(inputs.sea, inputs.land_use.map(2015) == 0)
    assert inputs.row.max() == SHAPE[0] // 30 - 1 and np.array_equal(inputs.row[:30], [0] * 30)


def test_the_classes_are_numbered_as_in_scheme_hilda8():
    assert scheme("hilda8").names == (
        "ocean", "urban", "cropland", "pasture", "forest", "grass_shrub", "other_land", "water",
    )  # fmt: skip
    assert scheme("hilda8").n_classes == N_CLASSES
    variant = scheme("hilda8").variants["forest"]
    assert {code: variant[code] for code in NUMBER} == NUMBER


def test_progress_counts_up_to_the_end(tmp_path):
    seen = []
    make_world(tmp_path, seed=0, shape=(60, 60), progress=lambda *step: seen.append(step))
    assert [done for done, _, _ in seen] == list(range(1, seen[0][1] + 1))
    assert {total for _, total, _ in seen} == {len(seen)}
    assert "land use of 2030" in [what for _, _, what in seen]


def test_a_globe_spans_the_earth_and_closes_in_longitude(tmp_path):
    make_world(tmp_path, seed=5, shape=(120, 240), globe=True)
    elevation = raw(tmp_path / "topography.nc")
    assert elevation["longitude"][0] == -179.25 and elevation["longitude"][-1] == 179.25
    assert elevation["latitude"][0] == 89.25 and elevation["latitude"][-1] == -89.25
    coarse = raw(tmp_path / "states_history.nc")
    assert coarse["lat"].tolist() == [67.5, 22.5, -22.5, -67.5]
    assert coarse["lon"].tolist() == [-157.5 + 45 * n for n in range(8)]
    height = np.where(elevation["elevation"] > 1e19, 0, elevation["elevation"])
    inside = np.abs(np.diff(height, axis=1)).mean()
    assert np.abs(height[:, 0] - height[:, -1]).mean() < 2 * inside
    assert open_inputs(load_experiment(tmp_path / "experiment.toml")).grid.wraps


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"shape": (100, 150)}, r"100x150: each side must be a multiple of 30.*try 90x150"),
        ({"shape": (30, 300)}, r"30x300 is too small.*at least 60x60"),
        ({"shape": (9000, 9000)}, r"9000x9000 has 81 million cells.*at most 50 million"),
        ({"shape": (120, 300), "globe": True}, r"twice as wide as high; try 120x240"),
        ({"shape": (17100, 60)}, r"would reach latitude -92.5"),
        ({"shape": (60, 26100)}, r"longitude 187.5"),
        ({"seed": -1}, r"seed -1 is negative"),
    ],
)
def test_a_world_that_cannot_be_is_refused(tmp_path, arguments, words):
    with pytest.raises(InputError, match=words):
        make_world(tmp_path / "world", **{"shape": (60, 60), **arguments})
    assert not (tmp_path / "world").exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(InputError, match=r"file: is a file; a made-up world is written into a f"):
        make_world(file, shape=(60, 60))
    with pytest.raises(InputError, match=r"inside: cannot make the folder: Not a directory"):
        make_world(file / "inside", shape=(60, 60))
    assert file.read_text() == "mine"
    (tmp_path / "world" / "README.txt").mkdir(parents=True)
    with pytest.raises(InputError, match=r"README.txt: cannot write: Is a directory"):
        make_world(tmp_path / "world", shape=(60, 60))
