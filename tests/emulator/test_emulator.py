"""The emulator: the map depends on forcing, statics and last year's map, and on nothing else."""

from dataclasses import replace

import numpy as np
import onnx
import pytest

from landstep import Emulator, State
from landstep.emulator import stepping
from landstep.emulator.card import Card, Weights, write_manifest
from landstep.emulator.classes import MASKED
from landstep.emulator.errors import (
    CheckError,
    ConfigError,
    InputError,
    LandstepError,
    ModelError,
    StateError,
    StepError,
)
from landstep.emulator.experiment import load_experiment
from landstep.emulator.features import FORBIDDEN, Fields, class_shares
from landstep.emulator.session import Session
from landstep.emulator.tiling import Cut

SHAPES = [
    ("regular", (75, 101)),
    ("projected", (61, 83)),
    ("globe", (56, 112)),
    ("globe", (45, 90)),  # 90 columns are no multiple of the stride, 4
]
CORES = (16, 28, 60)
UNTILED = 480


def maps(state):
    """Bytes of a map, to be compared with what it becomes."""
    return state.land_use.tobytes()


def by_hand(emulator, state, core, halo, year=None):
    """Run the windows for a year one by one: the likeliest classes and the logits (8, y, x)."""
    inputs, card = emulator.inputs, emulator.card
    year = state.year + state.direction if year is None else year
    forcing, change = inputs.forcing_pair(year, state.year)
    place = inputs.row, inputs.col, forcing.shape[1:], 8
    fields = Fields(
        prior=state.land_use,
        history=state.history,
        years=year - state.year,
        continuous=inputs.continuous(card.continuous),
        categories=inputs.categories([c.name for c in card.categories], year),
        forcing=forcing,
        forcing_change=change,
        prior_shares=class_shares(state.land_use, *place),
        row=inputs.row,
        col=inputs.col,
    )
    land_use = np.full(emulator.grid.shape, MASKED, np.uint8)
    logits = np.full((8, *emulator.grid.shape), np.nan, np.float32)
    everywhere = np.ones(emulator.grid.shape, bool)
    cut = Cut(emulator.grid.shape, card.stride, halo, emulator.grid.wraps)
    for window in cut.over(inputs.row, inputs.col, core, everywhere):
        result = emulator.session.run(fields.cut(window))
        window.write(land_use, result["land_use"][0])
        window.write(logits, result["logits"][0])
    return land_use, logits


# --- the same bits ----------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "shape", "mode"),
    [*((*on, "exact") for on in SHAPES), *((*on, "soft") for on in SHAPES[1:3])],
)
def test_tiled_equals_untiled(make_emulator, with_run, kind, shape, mode):
    """Three window sizes, on odd shapes: states, debt included, bit for bit, over two years.

    A strip of 16 rows, or 28, or 60, cuts blocks of 7 rows: their logits are kept until complete.
    """
    emulator = make_emulator(kind, shape, core=UNTILED, mode=mode)
    dear = [Weights(years=1, miss_price=1.0)]  # so that soft quotas move many cells too
    card = emulator.card.model_copy(update={"weights": dear})
    emulator = replace(emulator, session=replace(emulator.session, card=card))
    state = emulator.start(2000)
    for year in (2001, 2002):
        following = emulator.step(year, state)
        for core in CORES:
            assert with_run(emulator, core=core).step(year, state).checksum == following.checksum
        assert 0.03 < (following.land_use != state.land_use).mean() < 0.9
        assert following.debt.any()
        state = following


@pytest.mark.parametrize(("kind", "shape"), SHAPES)
def test_tiled_equals_untiled_without_quotas(make_emulator, with_run, kind, shape):
    """Then the map is the network's: the first of the largest logits of each cell."""
    emulator = make_emulator(kind, shape, core=UNTILED, mode="none")
    state = emulator.start(2000)
    for year in (2001, 2002):
        plain, logits = by_hand(emulator, state, UNTILED, emulator.card.halo)
        following = emulator.step(year, state)
        assert np.array_equal(following.land_use, plain)
        assert not np.isnan(logits).any()
        for core in CORES:
            tiled = with_run(emulator, core=core).step(year, state)
            assert np.array_equal(tiled.land_use, plain)
            found = by_hand(emulator, state, core, emulator.card.halo)
            assert np.array_equal(found[0], plain) and np.array_equal(found[1], logits)
        moved = (following.land_use != state.land_use).mean()
        assert 0.03 < moved < 0.9
        state = following


@pytest.mark.parametrize(("kind", "shape"), SHAPES)
def test_a_halo_that_is_too_small_is_seen(make_emulator, kind, shape):
    """Negative control: with a halo of one stride the logits differ."""
    emulator = make_emulator(kind, shape)
    state = emulator.start(2000)
    _, logits = by_hand(emulator, state, UNTILED, emulator.card.halo)
    _, short = by_hand(emulator, state, CORES[0], emulator.card.stride)
    assert not np.array_equal(short, logits)


@pytest.mark.parametrize("core", [*CORES, UNTILED])
def test_odds_are_the_networks_for_any_lag_and_any_windows(make_emulator, with_run, core):
    """One year and ten years on; where the prior is fixed they say so, window or not."""
    emulator = make_emulator("globe", (56, 112), core=core)
    state = emulator.start(2000)
    fixed = np.isin(state.land_use, (0, 7))
    found = {}
    for year in (2001, 2010):
        found[year] = emulator.odds(year, state)
        _, logits = by_hand(emulator, state, UNTILED, emulator.card.halo, year)
        assert found[year].dtype == np.float32
        assert np.array_equal(found[year][:, ~fixed], logits[:, ~fixed])
        own = np.arange(8)[:, None] == state.land_use[fixed]
        assert np.array_equal(found[year][:, fixed], np.where(own, 0, FORBIDDEN))
    assert not np.array_equal(found[2001], found[2010])


def test_the_maps_before_are_seen(make_emulator):
    """Negative control for all that carries them: other maps before, other odds."""
    emulator = make_emulator("regular", (33, 47))
    state = emulator.start(2000)
    unknown = emulator.start_from(2000, state.land_use)
    assert (np.array(unknown.history) == MASKED).all()
    assert not (np.array(state.history[:2]) == MASKED).all()
    assert not np.array_equal(emulator.odds(2001, unknown), emulator.odds(2001, state))


@pytest.mark.parametrize("threads", [1, 2, 3, 4])
def test_threads_and_repetition_change_nothing(make_emulator, threads):
    """1, 2 and 4 threads, and the same call twice."""
    plain = make_emulator("regular", (75, 101))
    emulator = make_emulator("regular", (75, 101), threads=threads, core=40)
    expected = plain.step(2001, plain.start(2000))
    state = emulator.start(2000)
    assert emulator.step(2001, state).checksum == expected.checksum
    assert emulator.step(2001, state).checksum == expected.checksum


def test_a_rolled_globe_gives_the_rolled_map(make_emulator):
    """Row 40: no seam at the date line. 28 columns are whole strides and whole coarse cells."""
    plain, rolled = (make_emulator("globe", (56, 112), core=40, roll=r) for r in (0, 28))
    one, other = plain.start(2000), rolled.start(2000)
    assert plain.grid.wraps
    assert np.array_equal(np.roll(one.land_use, 28, axis=1), other.land_use)
    for year in (2001, 2002, 2003):
        one, other = plain.step(year, one), rolled.step(year, other)
        assert np.array_equal(np.roll(one.land_use, 28, axis=1), other.land_use)


def test_a_region_does_feel_its_edge(make_emulator):
    """Negative control for the rolled globe: without the wrap the maps differ at the edges."""
    plain, rolled = (make_emulator("regular", (56, 112), roll=r) for r in (0, 28))
    one, other = (e.step(2001, e.start(2000)) for e in (plain, rolled))
    assert not np.array_equal(np.roll(one.land_use, 28, axis=1), other.land_use)


def test_a_step_leaves_its_state_as_it_was(make_emulator):
    """And cannot do otherwise: the map is read-only."""
    emulator = make_emulator("regular", (33, 47))
    state = emulator.start(2000)
    before = state.checksum
    emulator.step(2001, state)
    assert state.checksum == before and not state.land_use.flags.writeable


def test_restart_equals_going_on(experiment, tmp_path):
    """Rows 63 and invariant 8: from every year, by a new emulator, with and without writing."""
    emulator = Emulator.open(experiment)
    plain, writing = [emulator.start(2015)], [emulator.start(2015)]
    for year in range(2016, 2020):
        plain.append(emulator.step(year, plain[-1]))
        writing.append(emulator.step(year, writing[-1]))
        writing[-1].save(tmp_path / f"{year}.nc")
        emulator.write(writing[-1], tmp_path / f"map_{year}.nc")
    assert [maps(s) for s in plain] == [maps(s) for s in writing]
    assert len({maps(s) for s in plain}) == 5
    for first in range(2016, 2019):
        again = Emulator.open(experiment)
        state = again.start(restart=tmp_path / f"{first}.nc")
        for year in range(first + 1, 2020):
            state = again.step(year, state)
        assert state.checksum == plain[-1].checksum
        assert state.provenance == plain[-1].provenance


# --- what a step does -------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "shape"), SHAPES[:3])
def test_an_untrained_network_changes_nothing(make_emulator, untrained_model, kind, shape):
    """Invariant 5: whatever the forcing does, where the prior map is known and nothing is asked."""
    emulator = make_emulator(kind, shape, model=untrained_model, core=40, mode="none")
    state = emulator.start(2000)
    known = state.land_use != MASKED
    following = emulator.step(2001, state)
    assert 0 < known.sum() < known.size
    assert np.array_equal(following.land_use[known], state.land_use[known])
    assert (following.land_use < 8).all()
    assert maps(emulator.step(2002, following)) == maps(following)


def test_an_ocean_is_not_computed(make_emulator):
    """Row 26: windows without land are left out; a map without land stays as it is."""

    class Never:
        sha256, provenance = "0", {}

        def __init__(self, card):
            self.card = card

        def run(self, inputs):
            raise AssertionError("a window of ocean was computed")

    emulator = make_emulator("globe", (56, 112), core=16)
    ocean = np.zeros((56, 112), np.uint8)
    ocean[50:, 20:30] = 7  # a lake
    dry = replace(emulator, session=Never(emulator.card))
    state = replace(emulator.start(2000), land_use=ocean, model="0")
    assert maps(dry.step(2001, state)) == ocean.tobytes()

    ocean = ocean.copy()
    ocean[2, 3] = 4  # one island
    open_sea = make_emulator("globe", (56, 112), core=16, mode="none")
    result = open_sea.step(2001, replace(emulator.start(2000), land_use=ocean))
    assert np.array_equal(result.land_use == 0, ocean == 0)


def test_a_cold_start_knows_the_coast_and_fills_the_rest(experiment):
    """Ocean at sea, unknown on land; after a step every cell has a class."""
    emulator = Emulator.open(experiment)
    state = emulator.start(2015, cold=True)
    assert set(np.unique(state.land_use)) == {0, MASKED}
    assert np.array_equal(state.land_use == 0, emulator.inputs.sea)
    following = emulator.step(2016, state)
    assert np.array_equal(following.land_use == 0, emulator.inputs.sea)
    assert (following.land_use < 8).all()


def test_the_experiment_names_the_first_year(experiment):
    """Its key `start` is taken where no year is given."""
    emulator = Emulator.open(str(experiment))
    assert emulator.start().year == 2015
    assert maps(emulator.start()) == maps(emulator.start(2015))
    assert emulator.scheme.name == "hilda8" and emulator.grid.shape == (120, 180)
    assert emulator.start().provenance["landstep"]


# --- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize("year", [2014, 2015, 2017, -2016])
def test_only_the_next_year_can_be_reached(experiment, year):
    """Row 46: the same year, a year back, a year skipped."""
    emulator = Emulator.open(experiment)
    words = f"step to {year} from the map of 2015: expected 2016; one step is one year forward"
    with pytest.raises(StepError, match=words) as caught:
        emulator.step(year, emulator.start(2015))
    assert ("turning round needs a new start" in str(caught.value)) == (year == 2014)


@pytest.mark.parametrize(
    ("year", "direction", "words"),
    [
        (2015, "forward", "odds for 2015 from the map of 2015: expected a year after it"),
        (2014, "forward", "odds for 2014 .*: expected a year after it"),
        (2016, "backward", "odds for 2016 .*: expected a year before it"),
        (2018, "forward", r"3 years at once: model 'tiny' learned \[1, 2, 10\]; take one of those"),
        (2010, "backward", r"5 years at once: model 'tiny' learned"),
    ],
)
def test_odds_are_given_for_what_the_model_learned(experiment, year, direction, words):
    emulator = Emulator.open(experiment)
    with pytest.raises(StepError, match=words):
        emulator.odds(year, emulator.start(2015, direction=direction))


def test_a_year_outside_the_forcing_is_named(experiment):
    """Row 43; the state is as good as before."""
    emulator = Emulator.open(experiment)
    state = replace(emulator.start(2015), year=2100)
    before = state.checksum
    with pytest.raises(InputError, match="year 2101 outside 1980.2100"):
        emulator.step(2101, state)
    assert state.checksum == before


def test_a_start_must_say_where(make_emulator, experiment):
    """Row 59: a missing restart is never a cold start; two starts are one too many."""
    with pytest.raises(StepError, match="no start: name a year of the experiment's maps"):
        make_emulator("regular", (20, 30)).start()
    emulator = Emulator.open(experiment)
    with pytest.raises(StateError, match="restart file not found.*A cold start is never taken"):
        emulator.start(restart=experiment.parent / "no.nc")
    with pytest.raises(StepError, match="a restart and a cold start were both asked for"):
        emulator.start(2015, restart="no.nc", cold=True)
    with pytest.raises(InputError, match="1950"):
        emulator.start(1950)


def test_a_restart_of_another_run_is_refused(experiment, tmp_path):
    """Row 61: of another model, grid, scheme or year: a message for each."""
    emulator = Emulator.open(experiment)
    state = emulator.start(2015)
    path = tmp_path / "restart.nc"
    north = {"land_use": state.land_use[:-1].copy(), "history": [m[:-1] for m in state.history]}
    for wrong, words in (
        ({"model": "a" * 64}, "made with model sha256 aaaaaaaaaaaa, this run has"),
        ({"grid": "b" * 64}, "lies on another grid"),
        (north, "lies on another grid .*119, 180.*120, 180"),
        ({"scheme": "hilda13"}, "scheme hilda13, this run uses hilda8"),
    ):
        other = replace(state, **wrong)
        other.save(path)
        with pytest.raises(StateError, match=f"restart.nc: {words}"):
            emulator.start(restart=path)
        with pytest.raises(StateError, match=f"state: {words}"):
            emulator.step(2016, other)
    state.save(path)
    with pytest.raises(StateError, match="restart is of 2015, asked for 2016"):
        emulator.start(2016, restart=path)
    assert emulator.start(2015, restart=path).checksum == state.checksum


@pytest.fixture
def open_with(experiment, tiny_model, tmp_path):
    """Give a function that opens the made-up world with a model of another card, or [run] table."""

    def open_emulator(run=None, **card):
        proto = onnx.load(tiny_model)
        old = Session.open(tiny_model).card
        (entry,) = proto.metadata_props
        entry.value = Card(**(old.model_dump() | card)).to_metadata()[entry.key]
        path = tmp_path / "other.onnx"
        path.write_bytes(proto.SerializeToString())
        write_manifest(path)
        tables = load_experiment(experiment).model_dump() | {"model": str(path)}
        tables["run"] |= run or {}
        return Emulator.open(type(load_experiment(experiment)).model_validate(tables))

    return open_emulator


ZONES = [{"name": "soil_texture", "size": 8}, {"name": "climate_zone", "size": 3}]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"scheme": "hilda13"}, "model 'tiny' trained for class scheme hilda13, run uses hilda8"),
        ({"class_codes": [0, 1, 2, 3, 4, 5, 6, 7]}, "trained for class scheme hilda8"),
        ({"states": [*"abcdefghijkl"]}, r"takes forcing states \['a', .*, experiment 'made-up"),
        ({"phase": "07-01"}, "model 'tiny' is for 07-01, forcing for 01-01"),
        ({"continuous": ["slope"]}, r"static 'slope' is not one of \['elevation'\]"),
        ({"categories": ZONES}, r"'climate_zone' of .* has code \d, .* 0 to 2; train your own"),
    ],
)  # fmt: skip
def test_a_model_made_for_something_else_is_refused(open_with, options, words):
    """Row 5: a stale model is named when it is opened, not when its answers look odd."""
    open_with()
    with pytest.raises(ConfigError, match=words):
        open_with(**options)


def test_a_step_weighs_returns_and_new_changes_as_the_card_says_for_one_year(open_with, with_run):
    """By the state's own maps before; the same bits for any windows."""
    weights = [
        {"years": 1, "stay_weight": 0.9, "new_weight": 0.2, "miss_price": 0.3},
        {"years": 2, "stay_weight": 0.5},
    ]
    emulator = open_with(weights=weights)
    rule = stepping.rule_of(emulator.experiment, emulator.scheme, emulator.card, 1)
    assert (rule.stay_weight, rule.new_weight, rule.price) == (0.9, 0.2, 0.3)
    state, demand = emulator.start(2015), emulator.demand
    quota = state.debt + demand.asked(2015, 2016)
    where = demand.area, demand.row, demand.col, quota.shape[1:], rule
    inputs = emulator.odds(2016, state), state.land_use, quota, *where
    expected = stepping.allocate(*inputs, recent=np.array(state.history)).land_use
    assert (expected != stepping.allocate(*inputs).land_use).any()
    for core in (16, 480):
        following = with_run(emulator, core=core).step(2016, state)
        assert np.array_equal(following.land_use, expected)


def test_a_model_that_learned_no_single_years_takes_no_step(open_with):
    """It gives odds for what it did learn."""
    emulator = open_with(lags=[10])
    state = emulator.start(2015)
    with pytest.raises(StepError, match=r"1 years at once: model 'tiny' learned \[10\]"):
        emulator.step(2016, state)
    assert emulator.odds(2025, state).shape == (8, 120, 180)


def test_a_model_of_one_direction_does_not_start_the_other_way(open_with):
    emulator = open_with(direction="forward")
    with pytest.raises(StepError, match="direction backward: model 'tiny' was trained to step"):
        emulator.start(2015, direction="backward")
    with pytest.raises(StepError, match="direction 'back', expected one of"):
        emulator.start(2015, direction="back")
    assert emulator.start(2015).direction == 1


def test_a_zone_that_comes_later_is_held_against_the_model(make_emulator):
    """Climate zones change with the years: a code that the model does not know is refused then."""
    emulator = make_emulator("regular", (20, 30))
    codes = {name: field.copy() for name, field in emulator.inputs.statics.codes.items()}
    codes["climate_zone"][5, 5] = 6
    statics = replace(emulator.inputs.statics, codes=codes)
    later = replace(emulator, inputs=replace(emulator.inputs, statics=statics))
    with pytest.raises(ConfigError, match="static 'climate_zone' of 2001 has code 6"):
        later.step(2001, later.start(2000))


def test_a_model_that_breaks_its_contract_is_caught(make_emulator):
    """Logits that are no numbers; the state is as before."""

    class Liar:
        def __init__(self, session):
            self.card, self.sha256 = session.card, session.sha256
            self.provenance = session.provenance

        def run(self, inputs):
            return {"logits": np.full((1, 8, *inputs["prior"].shape[1:]), np.nan, np.float32)}

    emulator = make_emulator("regular", (20, 30))
    state = emulator.start(2000)
    before = state.checksum
    with pytest.raises(ModelError, match="odds"):
        replace(emulator, session=Liar(emulator.session)).step(2001, state)
    assert state.checksum == before


def test_a_step_that_breaks_its_contract_is_caught(make_emulator, monkeypatch):
    """Whatever the allocation gives, ocean does not move; the state is as before."""
    whole = stepping.allocate

    def lie(*arguments):
        return replace(whole(*arguments), land_use=np.full_like(arguments[1], 4))

    emulator = make_emulator("regular", (20, 30))
    state = emulator.start(2000)
    before = state.checksum
    monkeypatch.setattr(stepping, "allocate", lie)
    with pytest.raises(CheckError, match=r"year 2001: cell \(\d+, \d+\) left a class that never"):
        emulator.step(2001, state)
    assert state.checksum == before


def test_a_device_that_fails_leaves_the_state(make_emulator):
    """Row 15: out of memory, device lost: a ModelError, and the same step can be tried again."""

    class Lost:
        def __init__(self, session):
            self.session = session

        def run(self, *arguments):
            raise RuntimeError("device lost")

    emulator = make_emulator("regular", (20, 30))
    state = emulator.start(2000)
    broken = replace(emulator, session=replace(emulator.session, _session=Lost(None)))
    with pytest.raises(ModelError, match="onnxruntime could not run .*device lost.*core smaller"):
        broken.step(2001, state)
    assert emulator.step(2001, state).year == 2001


def test_the_front_door_is_the_emulators():
    """`from landstep import Emulator, State, LandstepError`."""
    assert issubclass(StepError, LandstepError) and State.__module__ == "landstep.emulator.state"
