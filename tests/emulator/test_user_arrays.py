"""What a caller hands over stays his, and a state stays as it was made (faults 96 and 97)."""

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest

from landstep.emulator.climate import Climate, heard
from landstep.emulator.errors import LandstepError, StateError
from landstep.emulator.kept import Kept
from landstep.emulator.owned import is_owned, take
from landstep.emulator.state import ARRAYS, State
from landstep.emulator.user_arrays import class_map, whole_numbers

SHAPE = (21, 28)


@pytest.fixture(scope="module")
def emulator(make_emulator):
    """Open the tiny model on made-up fields."""
    return make_emulator("regular", SHAPE)


@pytest.fixture
def start(emulator):
    """Start from a map that is known everywhere, with a history."""
    return emulator.start_from(2000, known_map(), [known_map(k) for k in (1, 2, 3)])


def known_map(seed=0):
    """Make a map up: (y, x) uint8 classes."""
    return np.random.default_rng(seed).integers(0, 8, SHAPE).astype(np.uint8)


def small(**changes):
    """Make a small state up."""
    maps = np.arange(35, dtype=np.uint8).reshape(5, 7) % 8
    debt = np.zeros((3, 2, 2), np.int64)
    values = dict(
        year=2001, land_use=maps, history=(maps,), direction=1, anchor=2000, debt=debt,
        debt_years=debt.astype(np.uint8), scheme="hilda8", grid="g", model="m", provenance={},
    )  # fmt: skip
    return State(**(values | changes))


# --- fault 96: the array is used again --------------------------------------------------------


def test_members_made_in_one_buffer_stay_apart(emulator, start):
    """Fault 96: an ensemble of first maps, each made in the array of the one before."""
    buffer, members, sums = np.empty(SHAPE, np.uint8), [], []
    for number in range(3):
        buffer[...] = start.land_use
        buffer[number, 5:15] = 3
        members.append(emulator.start_from(2000, buffer, [buffer] * 3))
        sums.append(members[-1].checksum)
    buffer[...] = 7
    assert [member.checksum for member in members] == sums
    assert len(set(sums)) == 3


@pytest.mark.parametrize("name", [*ARRAYS, "confidence"])
def test_no_way_into_a_state_keeps_the_callers_array(name):
    """Fault 96: by the constructor and by `replace`; views, and read-only views of a buffer."""
    base = small()
    values = getattr(base, "land_use" if name == "confidence" else name)
    for of_buffer in (
        lambda buffer: buffer,
        lambda buffer: buffer[...],
        lambda buffer: np.lib.stride_tricks.as_strided(buffer, writeable=False),
    ):
        buffer = np.array(values[0] if name == "history" else values)
        given = of_buffer(buffer)
        given = [given] if name == "history" else given
        made = small(**{name: given}), replace(base, **{name: given})
        before = [(s.checksum, None if s.confidence is None else s.confidence.copy()) for s in made]
        buffer[...] = buffer + 1
        for state, (checksum, confidence) in zip(made, before, strict=True):
            assert state.checksum == checksum
            assert confidence is None or np.array_equal(state.confidence, confidence)


def test_an_array_that_was_read_only_for_a_while_is_no_ones_own():
    """Fault 96: a flag proves nothing, whoever holds another view of the memory can write."""
    buffer = np.zeros((5, 7), np.uint8)
    view = buffer.view()
    buffer.setflags(write=False)
    state = small(land_use=buffer)
    view[...] = 3
    assert not state.land_use.any()
    with pytest.raises(ValueError, match="WRITEABLE"):
        state.land_use.setflags(write=True)


def test_provenance_climate_and_what_is_kept_are_the_states_own():
    """Fault 96: a dict and the arrays of a host's climate, too."""
    notes, array, year = {"a": "b"}, np.arange(3.0), np.full((1, 12, 2, 2), 280, np.float32)
    climate = Climate(("air_temperature",), 2000, (year,))
    state = small(provenance=notes, kept=Kept({"x": array}, {}), climate=climate)
    before = state.checksum
    notes["a"], array[0], year[...] = "c", 9.0, 0
    assert state.checksum == before and state.provenance == {"a": "b"}


def test_a_states_own_maps_are_handed_on_and_not_copied(emulator, start):
    """A map of the whole Earth has 0.9 billion cells."""
    again = replace(start, year=2001)
    assert again.land_use is start.land_use and again.history[2] is start.history[2]
    following = emulator.step(2001, start)
    assert following.history[0] is start.land_use
    assert emulator.start_from(2000, start.land_use, start.history).land_use is start.land_use
    assert emulator.start(2000).land_use is emulator.start(2000).land_use
    made = np.zeros((3, 4), np.uint8)
    assert take(made).base is made and is_owned(take(take(made)))


def test_climate_zones_cannot_be_changed_from_outside(emulator, start):
    """Fault 96: the next step reads them."""
    with pytest.raises(ValueError, match="read-only"):
        emulator.climate_zones(2000, start)[0, 0] = 3


def test_a_copied_or_pickled_state_is_a_state(start):
    """Its arrays are new, and frozen again."""
    for again in (copy.deepcopy(start), pickle.loads(pickle.dumps(start))):
        assert again.checksum == start.checksum
        for array in (again.land_use, *again.history, again.debt):
            assert is_owned(array) and not array.flags.writeable


# --- fault 97: masked arrays, other types, lists ----------------------------------------------


def test_a_masked_cell_is_unknown(emulator, start):
    """Fault 97, and fault 25 for a map: what is under the mask counts for nothing."""
    hidden = np.zeros(SHAPE, bool)
    hidden[4:12, 5:20] = True
    unknown = np.where(hidden, 255, start.land_use).astype(np.uint8)
    expected = emulator.start_from(2000, unknown, [unknown] * 3)
    for kind in (np.uint8, np.int8, ">i4", np.float32):
        masked = np.ma.array(start.land_use.astype(kind), mask=hidden)
        history = np.ma.stack([masked] * 3)
        assert emulator.start_from(2000, masked, history).checksum == expected.checksum
        assert replace(start, land_use=masked).land_use.tolist() == unknown.tolist()


@pytest.mark.parametrize(
    "of",
    [
        lambda m: m.tolist(),
        lambda m: m.astype(np.int64),
        lambda m: m.astype(">u2"),
        lambda m: np.asfortranarray(m),
        lambda m: np.repeat(m, 2, axis=1)[:, ::2],
        lambda m: m.astype(np.float64),
        lambda m: np.where(m == 255, np.nan, m.astype(np.float32)),
        lambda m: np.array(m, dtype=np.longdouble),
    ],
)
def test_any_array_of_class_numbers_is_taken(emulator, of):
    """Fault 97: the same state, bit for bit, and the same restart."""
    plain = known_map()
    plain[3:9, 3:9] = 255
    expected = emulator.start_from(2000, plain, [plain] * 3)
    given = of(plain)
    assert emulator.start_from(2000, given, [given] * 3).checksum == expected.checksum


def changed(value, kind):
    """Make a map with a value in cell (2, 3)."""
    field = known_map().astype(kind)
    field[2, 3] = value
    return field


class Labelled:
    """What an xarray.DataArray looks like from outside."""

    dims, coords = ("lon", "lat"), {}

    def __array__(self, *args, **kwargs):
        return known_map()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (changed(-1, np.int8), r"land_use: -1 at \(2, 3\) \(1 such\), expected class numbers"),
        (changed(256, np.int64), r"land_use: 256 at \(2, 3\)"),
        (changed(2.5, np.float64), r"land_use: 2.5 at \(2, 3\)"),
        (changed(np.inf, np.float64), r"land_use: inf at \(2, 3\)"),
        (changed(44, np.uint8), r"land_use: 44 at cell \(2, 3\) .* expected 0 to 7, or 255"),
        (known_map() > 3, r"land_use is bool \(21, 28\), expected class numbers"),
        (known_map().astype(complex), "land_use is complex128"),
        (known_map().astype(str), "land_use is <U"),
        (known_map().astype(object), "land_use is object"),
        (known_map().tolist()[:-1] + [[1, 2]], "land_use: .* expected an array of class numbers"),
        (Labelled(), r"land_use is Labelled with dimensions \('lon', 'lat'\).*\.values"),
        (None, "land_use is object"),
        (3, r"map of \(\)"),
        (known_map()[:-1], r"map of \(20, 28\) .* expected \(21, 28\)"),
        (known_map().T, r"map of \(28, 21\) .* expected \(21, 28\)"),
        (known_map()[None], r"map of \(1, 21, 28\)"),
    ],
)
def test_what_is_no_map_is_refused_in_words(emulator, given, words):
    """Fault 97: never by an error of another library."""
    with pytest.raises(StateError, match=words):
        emulator.start_from(2000, given)


@pytest.mark.parametrize(
    ("history", "words"),
    [
        ("maps", "history is str, expected a list of maps"),
        ({1: known_map()}, "history is dict"),
        (7, "history is int"),
        (np.uint8(3), "history"),
        ([known_map()] * 2, "with 3 of the same"),
        ([known_map(), None, known_map()], r"history\[1\] is object"),
        ([known_map(), changed(9, int), known_map()], r"history\[1\]: 9 at cell \(2, 3\)"),
        (known_map(), r"history of \[\(28,\)"),
    ],
)
def test_what_is_no_history_is_refused_in_words(emulator, history, words):
    """Fault 97."""
    with pytest.raises(StateError, match=words):
        emulator.start_from(2000, known_map(), history)


def test_numbers_that_are_no_classes_do_not_reach_a_step(emulator, start):
    """Nor by `replace`, which knows no scheme."""
    wrong = replace(start, land_use=changed(44, np.uint8))
    for call in (emulator.step, emulator.odds):
        with pytest.raises(StateError, match=r"land_use: 44 at cell \(2, 3\)"):
            call(2001, wrong)


def test_a_debt_is_whole_and_known():
    """Fault 97: no masked cell, no fraction."""
    debt = np.zeros((3, 2, 2))
    assert small(debt=debt).debt.dtype == np.int64
    with pytest.raises(StateError, match="debt is masked in 1 places"):
        small(debt=np.ma.array(debt, mask=np.eye(12)[0]))
    with pytest.raises(StateError, match=r"debt: 0.5 at \(0, 0, 0\)"):
        small(debt=debt + 0.5)
    with pytest.raises(StateError, match=r"debt: nan"):
        whole_numbers([np.nan], "debt", np.int64)
    with pytest.raises(StateError, match="debt: 1.84467e"):
        whole_numbers(np.array([2**64 - 1], np.uint64), "debt", np.int64)


def test_a_masked_month_of_a_hosts_climate_is_missing():
    """Fault 25: the numbers under the mask are not taken."""
    masked = np.ma.array(np.full((12, 2, 2), 280.0), mask=False)
    masked[3, 1, 0] = np.ma.masked
    year = heard(None, 2000, {"air_temperature": masked}).years[0]
    assert np.isnan(year[0, 3, 1, 0]) and np.isnan(year).sum() == 1


def test_a_map_of_nothing_is_taken_as_it_is():
    """No dimensions, no cells: the state refuses it, not this."""
    assert class_map(np.zeros((0, 3)), "m").shape == (0, 3)
    with pytest.raises(LandstepError, match="none of size 0"):
        small(land_use=np.zeros((0, 3)))
