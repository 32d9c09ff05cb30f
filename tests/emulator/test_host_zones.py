"""Climate zones follow the host's climate: by hand, by brute force, on any part, into the maps."""

import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from landstep.emulator.area_sums import coarse_class_sums
from landstep.emulator.climate import heard
from landstep.emulator.coarse_cells import CoarseCells
from landstep.emulator.emulator import Emulator
from landstep.emulator.errors import ConfigError, CouplingError, InputError, StepError
from landstep.emulator.experiment import load_experiment
from landstep.emulator.host_zones import HostZones
from landstep.emulator.inputs import open_files
from landstep.emulator.koppen import koppen_geiger
from landstep.emulator.legends import legend
from landstep.emulator.state import State

AIR, RAIN = "air_temperature", "precipitation_flux"
WARMTH = np.array([0, 1, 2, 3, 4, 4])
"""How warm the made-up zones are: polar, boreal, temperate, then dry and warm alike."""


@pytest.fixture(scope="module")
def emulator(experiment):
    """The made-up world, whose experiment names climate.nc."""
    return Emulator.open(experiment)


def given(zones, warmer=0.0, wetter=1.0):
    """What a host says that has the reference climate, or a warmer or wetter one."""
    return {AIR: zones.reference[AIR] + warmer, RAIN: zones.reference[RAIN] * wetter}


def climate_of(zones, years=30, last=2015, **change):
    """A climate of so many years."""
    climate = None
    for year in range(last - years + 1, last + 1):
        climate = heard(climate, year, given(zones, **change))
    return climate


def observed_zones(emulator, year=2016):
    """The climate zones as the file has them."""
    return emulator.inputs.categories(["climate_zone"], year)[0]


def by_hand(zones, observed, window):
    """Move zones cell by cell."""
    found = observed.copy()
    days = np.array([31, 28.2425, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    of = legend("made_up").code_of_koppen
    coarse = zones.coarse
    for i in range(coarse.rows.size):
        for j in range(coarse.cols.size):
            box = (
                slice(coarse.top[i], coarse.top[i] + coarse.height[i]),
                slice(coarse.left[j], coarse.left[j] + coarse.width[j]),
            )
            elevation, land = zones.elevation[box].astype(np.float64), observed[box] != 0
            if not land.any():
                continue
            band = np.rint((elevation - elevation[land].mean()) / 100)
            for number in np.unique(band[land]):
                codes = [
                    of[
                        koppen_geiger(
                            climate[AIR][:, i, j] - 273.15 - 0.65 * number,
                            climate[RAIN][:, i, j] * 86400 * days,
                        )
                    ]
                    for climate in (zones.reference, window)
                ]
                if codes[0] != codes[1]:
                    found[box][land & (band == number)] = codes[1]
    return found


@pytest.mark.parametrize("change", [{"warmer": 4.0}, {"wetter": 0.5}, {"warmer": -5, "wetter": 2}])
def test_zones_move_as_a_loop_over_bands_moves_them(emulator, change):
    zones, observed = emulator.climate, observed_zones(emulator)
    climate = climate_of(zones, **change)
    window = {name: climate.window(name, zones.reference[name]) for name in (AIR, RAIN)}
    found = zones.moved(observed, climate)
    assert found.dtype == np.uint8 and (found != observed).any()
    assert np.array_equal(found, by_hand(zones, observed, window))
    assert np.array_equal(found == 0, observed == 0)
    with pytest.raises(ValueError, match="read-only"):
        found[0, 0] = 1


def test_a_host_four_kelvin_warmer_moves_zones_to_warmer_ones(emulator):
    """More with every year; never to a colder zone where the reference is the observed one."""
    zones, observed = emulator.climate, observed_zones(emulator)
    moved = []
    for years in (1, 10, 20, 30):
        found = zones.moved(observed, climate_of(zones, years, warmer=4.0))
        there = found != observed
        moved.append(int(there.sum()))
        mean_before, mean_after = WARMTH[observed[there]].mean(), WARMTH[found[there]].mean()
        assert mean_after > mean_before
    assert moved == sorted(moved) and 0 < moved[-1] > moved[0]
    colder = zones.moved(observed, climate_of(zones, warmer=-4.0))
    there = colder != observed
    assert WARMTH[colder[there]].mean() < WARMTH[observed[there]].mean()


def test_no_zone_becomes_colder_where_the_reference_agrees_with_it(emulator):
    """Zones that are themselves the reference's: none moves to a colder one, dry as warm."""
    zones, land = emulator.climate, observed_zones(emulator) != 0
    frost = replace(zones, reference=zones.reference | {AIR: zones.reference[AIR] - 100})
    own = np.where(land, frost.moved(observed_zones(emulator), climate_of(zones)), 0)
    moved = zones.moved(own.astype(np.uint8), climate_of(zones, warmer=4.0))
    there = moved != own
    assert there.any() and (WARMTH[moved[there]] >= WARMTH[own[there]]).all()


def test_a_host_with_the_reference_climate_moves_nothing(emulator):
    zones, observed = emulator.climate, observed_zones(emulator)
    assert zones.moved(observed, climate_of(zones, 17)) is observed


def test_heights_are_told_apart_by_the_standard_atmosphere():
    """By hand: a coarse cell at 19 degC in the warmest month, 3 K warmer; 22 makes it warm (5).

    The mean height of its land is 300 m; a cell at 300 m reaches 22.0, one at 400 m 21.35.
    """
    air = np.linspace(9, 19, 12)[:, None, None] + 273.15
    reference = {AIR: air, RAIN: np.full((12, 1, 1), 4e-5)}
    elevation = np.array([[200, 300, 400, 300, 5000]], np.float32)
    observed = np.array([[3, 3, 3, 1, 0]], np.uint8)  # the last is sea
    coarse = CoarseCells.of(np.zeros(1, int), np.zeros(5, int))
    zones = HostZones(
        legend("made_up"), reference, coarse, np.zeros(5, int), elevation, np.array([[300.0]])
    )
    climate = None
    for year in range(30):
        climate = heard(climate, year, {AIR: air + 3.01, RAIN: reference[RAIN]})
    assert zones.moved(observed, climate).tolist() == [[5, 5, 3, 5, 0]]


def test_zones_of_a_part_are_the_part_of_the_zones(emulator, experiment):
    """What a rank holds, without the rest: mean heights and bands are the same."""
    files = open_files(load_experiment(experiment))
    division = files.division(16)
    land = coarse_class_sums(
        (observed_zones(emulator) == 0).astype(np.uint8), np.ones((120, 1), np.int64),
        files.row - files.row[0], files.col - files.col[0], division.coarse_shape, 1,
    )[0]  # fmt: skip
    climate = climate_of(emulator.climate, warmer=4.0)
    whole = emulator.climate.moved(observed_zones(emulator), climate)
    shares = division.shares(land, 3)
    assert not any(share.held.is_whole for share in shares)
    for share in shares:
        inputs = files.inputs(share)
        zones = HostZones.open(load_experiment(experiment), inputs)
        cut = replace(climate, years=tuple(share.coarse_held.cut(y) for y in climate.years))
        (observed,) = inputs.categories(["climate_zone"], 2016)
        assert np.array_equal(zones.moved(observed, cut), share.held.cut(whole))


def run(emulator, state, years, **change):
    """Go on year by year with a host that is warmer by so much."""
    for year in years:
        state = emulator.step(year, state)
        state = emulator.heard(year, given(emulator.climate, **change), state)
    return state


@pytest.fixture(scope="module")
def warm(emulator):
    """States of 2016 to 2019 of a host 40 K too warm, which moves zones in its first years."""
    state = emulator.start(2015)
    states = [emulator.heard(2015, given(emulator.climate, warmer=40.0), state)]
    for year in range(2016, 2020):
        states.append(run(emulator, states[-1], [year], warmer=40.0))
    return states


def test_maps_answer_to_the_hosts_climate_and_offline_ones_do_not(emulator, warm):
    plain = [emulator.start(2015)]
    for year in range(2016, 2020):
        plain.append(emulator.step(year, plain[-1]))
    assert all(state.climate is None for state in plain)
    assert np.array_equal(warm[0].land_use, plain[0].land_use)
    assert (warm[-1].land_use != plain[-1].land_use).any()
    zones = [emulator.climate_zones(2020, state) for state in (plain[-1], warm[-1])]
    assert np.array_equal(zones[0], observed_zones(emulator, 2020))
    there = zones[0] != zones[1]
    assert there.any() and WARMTH[zones[1][there]].mean() > WARMTH[zones[0][there]].mean()


def test_a_host_with_the_reference_climate_gets_the_maps_of_a_run_without_one(emulator):
    plain = state = emulator.start(2015)
    state = emulator.heard(2015, given(emulator.climate), state)
    for year in range(2016, 2019):
        plain, state = emulator.step(year, plain), run(emulator, state, [year])
        assert np.array_equal(plain.land_use, state.land_use)
        assert plain.checksum != state.checksum  # the climate is part of it
        assert plain.checksum == replace(state, climate=None).checksum


def test_the_same_climate_again_gives_the_same_bits(emulator, experiment, warm):
    """Replayed from what was logged, in another emulator that remembers nothing."""
    again = Emulator.open(experiment)
    state = again.heard(2015, given(emulator.climate, warmer=40.0), again.start(2015))
    state = run(again, state, range(2016, 2020), warmer=40.0)
    assert state.checksum == warm[-1].checksum


def test_a_restart_in_the_middle_is_going_on(emulator, experiment, warm, tmp_path):
    warm[2].save(tmp_path / "restart.nc")
    again = Emulator.open(experiment)
    state = again.start(restart=tmp_path / "restart.nc")
    assert run(again, state, [2018, 2019], warmer=40.0).checksum == warm[-1].checksum


STEPS = """
import sys
import numpy as np
from landstep.emulator.emulator import Emulator
from landstep.emulator.ranks import Ranks
ranks = Ranks.launched()
emulator = Emulator.open(sys.argv[1], ranks)
state = emulator.start(2015) if len(sys.argv) < 4 else emulator.start(restart=sys.argv[3])
of = emulator.climate.reference
means = {name: field + 40.0 * (name == "air_temperature") for name, field in of.items()}
if len(sys.argv) < 4:
    state = emulator.heard(2015, means, state)
for year in range(state.year + 1, int(sys.argv[2]) + 1):
    state = emulator.heard(year, means, emulator.step(year, state))
    whole = emulator.whole(state)
if ranks.is_first:
    whole.save("restart.nc")
    print(whole.checksum)
"""


@pytest.mark.skipif(shutil.which("mpirun") is None, reason="there is no mpirun")
def test_two_ranks_and_a_restart_on_another_number_give_the_bits_of_one(experiment, warm, tmp_path):
    pytest.importorskip("mpi4py", reason="mpi4py is not installed")

    def go(ranks, *arguments):
        command = ["mpirun", "--oversubscribe", "-n", str(ranks), sys.executable, "-c", STEPS]
        done = subprocess.run(
            [*command, *map(str, arguments)], cwd=tmp_path, text=True,
            capture_output=True, timeout=1800,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout.strip()

    assert go(2, experiment, 2017) == warm[2].checksum
    assert State.load(tmp_path / "restart.nc").climate.last == 2017
    assert go(3, experiment, 2019, tmp_path / "restart.nc") == warm[4].checksum


def test_a_settled_block_is_computed_again_when_its_zones_move(make_emulator, untrained_model):
    """Forcing stands still and the network keeps all: only the zones can make a block be seen."""

    class Still:
        def __init__(self, forcing):
            self.forcing = forcing

        def __getattr__(self, name):
            return getattr(self.forcing, name)

        def year(self, year):
            return self.forcing.year(2000)

    class Counting:
        def __init__(self, session):
            self.session, self.windows = session, 0

        def __getattr__(self, name):
            return getattr(self.session, name)

        def run(self, inputs):
            self.windows += 1
            return self.session.run(inputs)

    plain = make_emulator("regular", (75, 101), core=21, mode="none", model=untrained_model)
    row, col = plain.inputs.row, plain.inputs.col
    coarse = CoarseCells.of(row, col)
    shape = coarse.rows.size, coarse.cols.size
    reference = {
        AIR: np.broadcast_to(np.linspace(280, 290, 12)[:, None, None], (12, *shape)).copy(),
        RAIN: np.full((12, *shape), 3e-5),
    }
    (elevation,) = plain.inputs.continuous(["elevation"])
    zones = HostZones(legend("made_up"), reference, coarse, col, elevation, np.full(shape, 300.0))
    emulator = replace(
        plain, inputs=replace(plain.inputs, forcing=Still(plain.inputs.forcing)),
        session=Counting(plain.session), climate=zones,
    )  # fmt: skip
    first = emulator.start(2000).land_use
    known = np.where(first == 255, 3, first).astype(np.uint8)
    state = emulator.start_from(2000, known, [known] * emulator.card.history)
    for year in range(2001, 2004):
        state = emulator.step(year, state)
    before = emulator.session.windows
    state = emulator.step(2004, state)
    assert emulator.session.windows == before
    means = {name: field.copy() for name, field in reference.items()}
    means[AIR][:, 4:, 5:] -= 900.0  # thirty kelvin colder in the mean of thirty years
    moved = emulator.step(2005, emulator.heard(2004, means, state))
    seen = emulator.session.windows - before
    assert 0 < seen
    changed = emulator.climate_zones(2005, moved) != emulator.climate_zones(2005, state)
    assert changed.any() and not changed[: 4 * 7].any()
    again = emulator.step(2006, moved)
    assert emulator.session.windows - before == seen  # settled once more
    assert np.array_equal(again.land_use, moved.land_use)


def test_what_a_host_may_not_say_is_refused_with_what_to_do(emulator, experiment, tmp_path):
    state = emulator.start(2015)
    means = given(emulator.climate)
    with pytest.raises(StepError, match="climate of 2016 for a state of 2015: it is not over yet"):
        emulator.heard(2016, means, state)
    with pytest.raises(InputError, match=r"air_temperature is \(12, 2, 2\), expected \(12, 4, 6\)"):
        emulator.heard(2015, {AIR: np.zeros((12, 2, 2))}, state)
    with pytest.raises(CouplingError, match="'t2m' is not known"):
        emulator.check_put("t2m")
    bare = replace(emulator, climate=None)
    words = r"moves climate zones, and the experiment names no climate .* add \[climate\]"
    for name in (AIR, RAIN):
        with pytest.raises(ConfigError, match=words):
            bare.check_put(name)
        with pytest.raises(ConfigError, match=words):
            bare.heard(2015, {name: means[name]}, state)
    heard_state = emulator.heard(2015, means, state)
    with pytest.raises(ConfigError, match=words):
        bare.step(2016, heard_state)


def test_what_no_zone_follows_from_may_be_given_without_a_reference(emulator):
    """Soil water and light are kept, and change no map yet."""
    bare, state = replace(emulator, climate=None), emulator.start(2015)
    light = {"surface_downwelling_shortwave_flux_in_air": np.full((12, 4, 6), 200.0)}
    state = bare.step(2016, bare.heard(2015, light, state))
    assert state.climate.last == 2015
    assert np.array_equal(state.land_use, emulator.step(2016, emulator.start(2015)).land_use)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (('legend = "made_up"', 'legend = "made-up"'), ConfigError, r"'made-up' is not known"),
        (('legend = "made_up"\n', "\n"), ConfigError, r"\[climate\] reference without a legend"),
        (('"climate.nc"', '"nothing.nc"'), InputError, "nothing.nc"),
        (('reference = "climate.nc"', ""), None, ""),
    ],
)  # fmt: skip
def test_a_climate_table_that_cannot_be_is_refused(experiment, change, error, words):
    text = experiment.read_text("utf-8")
    start = text.index("[climate]")
    head, lines = text[:start], text[start:]
    lines = "\n".join(line.split("#")[0].rstrip() for line in lines.splitlines())
    assert change[0].strip() in lines
    path = experiment.with_name("changed.toml")
    path.write_text(head + lines.replace(change[0].strip(), change[1].strip()) + "\n", "utf-8")
    if error is None:
        assert Emulator.open(path).climate is None
        return
    with pytest.raises(error, match=words):
        Emulator.open(path)


def test_zones_that_the_legend_lacks_are_named(emulator, monkeypatch):
    """The made-up world's zones have no code 6."""
    real = type(emulator.inputs).categories

    def other(self, names, year):
        return tuple(np.where(f == 5, 6, f).astype(np.uint8) for f in real(self, names, year))

    monkeypatch.setattr(type(emulator.inputs), "categories", other)
    with pytest.raises(InputError, match="zones.nc: code 6 at cell .* is not in legend made_up"):
        HostZones.open(emulator.experiment, emulator.inputs)
