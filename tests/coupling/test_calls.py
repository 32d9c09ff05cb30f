"""Every C function reaches the coupler with what the host gave, and brings back what it says."""

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from landstep.coupling import coupler
from landstep.coupling.point_coverage import PointCoverage
from landstep.emulator.errors import CouplingError

MONTHS = np.arange(36.0).reshape(12, 3)  # as in memory: points fastest
KINDS = [("", np.float64), ("_float", np.float32)]
NAMES = ["høyde", "cvl"]


class Recorder:
    """A coupler that keeps what it is given and answers with numbers of its own."""

    last: "Recorder"

    def __init__(self, given: dict[str, Any]) -> None:
        self.given, self.kept = given, {}
        self.n = len(given["lon"])

    @classmethod
    def open(cls, experiment: str, lon: Any, lat: Any, **given: Any) -> "Recorder":
        Recorder.last = cls({"experiment": experiment, "lon": lon, "lat": lat, **given})
        return Recorder.last

    def baseline(self, name: str, values: np.ndarray) -> None:
        self.kept[name] = values

    def put(self, name: str, values: np.ndarray, units: str = "") -> None:
        self.kept[name] = values, units

    def update(self, year: int, month: int, day: int) -> bool:
        self.kept["date"] = year, month, day
        return month == 1

    def changed(self, name: str) -> bool:
        return name == "cvl"

    def get(self, name: str, kind: Any = np.float64) -> np.ndarray:
        if name not in NAMES:
            raise CouplingError(f"no field {name!r}")
        return np.array([1.0, 2.0, 3.0]) / 3

    def get_previous(self, name: str, kind: Any = np.float64) -> np.ndarray:
        return self.get(name) - 7

    def get_monthly(self, name: str) -> np.ndarray:
        return self.get(name)[:, None] + np.arange(12.0)

    def add_change(self, name: str, values: np.ndarray) -> np.ndarray:
        self.kept[name] = values.copy()
        return values + self.get(name).astype(values.dtype)

    def get_change(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        return self.get(name) / 2, self.get(name) / 4

    def get_coverage(self) -> PointCoverage:
        return PointCoverage(11, 2, 3, 4.5, 6)

    def get_transition(self, from_class: str, to_class: str) -> np.ndarray:
        return self.get(from_class) / 3 + (to_class == "cvl")

    def get_maximum(self, name: str, last_year: int) -> np.ndarray:
        return self.get(name) + last_year

    def describe(self, name: str, attribute: str) -> str:
        return f"{attribute} of {name}"

    def names(self) -> list[str]:
        return NAMES

    def write_restart(self, path: str) -> None:
        self.kept["restart"] = path

    def close(self) -> None:
        self.kept["closed"] = True


@pytest.fixture
def recorded(host: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A host whose coupler is a recorder."""
    monkeypatch.setattr(coupler, "Coupler", Recorder)
    assert host.open("an experiment.toml", year=None) == (0, "")
    yield host
    host.lib.landstep_close(host.handle)


def flat(host: Any, values: np.ndarray) -> Any:
    """The memory of an array as a C pointer of its kind."""
    kinds = {"d": "double[]", "f": "float[]", "q": "long long[]", "l": "long long[]", "i": "int[]"}
    return host.ffi.from_buffer(kinds[values.dtype.char], values)


def test_points_reach_the_coupler_as_they_are(recorded: Any) -> None:
    edges = [np.arange(6.0) + k for k in range(2)]
    corners = [np.arange(12.0) + k for k in range(2)]
    area, index = np.array([1e9, 2e9, 3e9]), np.array([7, 1, 2**40])
    mask = np.array([1, 0, -1], np.int32)
    told = recorded.open(
        "å b.toml",
        year=-850,
        comm=1140850688,
        restart=b"r.nc",
        start=b"branch",
        lon_bounds_deg=flat(recorded, edges[0]),
        lat_bounds_deg=flat(recorded, edges[1]),
        n_vertices=4,
        vertex_lon_deg=flat(recorded, corners[0]),
        vertex_lat_deg=flat(recorded, corners[1]),
        area_m2=flat(recorded, area),
        index=flat(recorded, index),
        mask=flat(recorded, mask),
    )
    assert told == (0, "")
    given = dict(Recorder.last.given)
    expected = {
        "lon": np.array([-29.31, 330.7, 20.0]),
        "lat": np.array([49.5, 49.51, 49.5]),
        "lon_bounds": edges[0].reshape(3, 2),
        "lat_bounds": edges[1].reshape(3, 2),
        "vertex_lon": corners[0].reshape(3, 4),
        "vertex_lat": corners[1].reshape(3, 4),
        "area_m2": area,
        "index": index,
        "mask": np.array([True, False, True]),
    }
    for name, values in expected.items():
        found = given.pop(name)
        assert np.array_equal(found, values) and found.dtype == values.dtype, name
    assert given == {
        "experiment": "å b.toml", "comm": 1140850688, "year": -850, "restart": "r.nc",
        "start": "branch",
    }  # fmt: skip
    edges[0][:] = area[:] = -1
    assert Recorder.last.given["lon_bounds"][0, 1] == 1 and Recorder.last.given["area_m2"][0] == 1e9


def test_what_is_absent_is_left_to_the_coupler(recorded: Any) -> None:
    assert set(Recorder.last.given) == {"experiment", "lon", "lat"}


def test_a_rank_without_points_may_give_no_arrays(recorded: Any) -> None:
    null = recorded.ffi.NULL
    assert recorded.open("x", year=None, n_points=0, lon_deg=null, lat_deg=null) == (0, "")
    assert Recorder.last.given["lon"].shape == Recorder.last.given["lat"].shape == (0,)
    lib, h = recorded.lib, recorded.handle
    assert lib.landstep_put(h, b"t", null, 0, null) == 0
    assert lib.landstep_baseline(h, b"alb", null, 0, 12) == 0
    assert Recorder.last.kept["t"][0].shape == (0,)
    assert Recorder.last.kept["alb"].shape == (0, 12)


@pytest.mark.parametrize(("suffix", "kind"), KINDS)
def test_baselines_come_by_point_and_month(recorded: Any, suffix: str, kind: type) -> None:
    function = getattr(recorded.lib, f"landstep_baseline{suffix}")
    months, once = MONTHS.astype(kind), np.array([0.1, 0.2, 0.3], kind)
    assert function(recorded.handle, b"al", flat(recorded, months), 3, 12) == 0
    assert function(recorded.handle, b" cvl ", flat(recorded, once), 3, 1) == 0
    kept = dict(Recorder.last.kept)
    months[:], once[:] = -1, -1
    assert np.array_equal(kept["al"], MONTHS.T) and kept["al"].dtype == np.float64
    assert np.array_equal(kept["cvl"], np.array([0.1, 0.2, 0.3], kind).astype(np.float64))


@pytest.mark.parametrize(("suffix", "kind"), KINDS)
def test_climate_comes_with_its_units(recorded: Any, suffix: str, kind: type) -> None:
    function, null = getattr(recorded.lib, f"landstep_put{suffix}"), recorded.ffi.NULL
    values = np.array([280.25, 281.5, 282.75], kind)
    for units, expected in ((b"K", "K"), (null, ""), (b"  ", "")):
        assert function(recorded.handle, b"t", flat(recorded, values), 3, units) == 0
        found, told = Recorder.last.kept["t"]
        assert told == expected and found.dtype == np.float64
        assert found.tolist() == [280.25, 281.5, 282.75]
    values[:] = 0
    assert found[0] == 280.25


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda h, v: h.lib.landstep_baseline(h.handle, b"x", v, 3, 7), "n_months is 7, expected"),
        (lambda h, v: h.lib.landstep_baseline(h.handle, b"x", v, 2, 1), "'x': the array has 2 val"),
        (lambda h, v: h.lib.landstep_put(h.handle, b"x", v, 4, b"K"), "has 4 values, expected 3"),
        (lambda h, v: h.lib.landstep_put(h.handle, b"x", v, -4, b"K"), "n_values -4 is negative"),
        (lambda h, v: h.lib.landstep_get_change(h.handle, b"x", v, v + 2, 3), "share memory"),
        (
            lambda h, v: h.lib.landstep_get_change(h.handle, b"cvl", v, v + 5, 2),
            "array has 2 values, exp",
        ),
        (lambda h, v: h.lib.landstep_get_previous(h.handle, b"x", v, 3), "no field 'x'"),
        (lambda h, v: h.lib.landstep_get_monthly(h.handle, b"cvl", v, 3, 1), "n_months is 1, exp"),
        (lambda h, v: h.lib.landstep_get_monthly(h.handle, b"cvl", v, 2, 12), "has 2 values, exp"),
        (lambda h, v: h.lib.landstep_add_change(h.handle, b"cvl", v, 2), "has 2 values, expected"),
    ],
)
def test_a_wrong_array_is_told_and_left_alone(recorded: Any, call: Any, text: str) -> None:
    values = recorded.ffi.new("double[]", [-7.0] * 9)
    status, told = recorded.told(call(recorded, values))
    assert status == 8 and text in told
    assert list(values) == [-7.0] * 9 and Recorder.last.kept == {}


@pytest.mark.parametrize(("suffix", "kind"), KINDS)
def test_fields_and_changes_are_copied_out(recorded: Any, suffix: str, kind: type) -> None:
    h, thirds = recorded.handle, np.array([1.0, 2.0, 3.0]) / 3
    one, other = np.zeros(3, kind), np.zeros(3, kind)
    lib, pointers = recorded.lib, (flat(recorded, one), flat(recorded, other))
    assert getattr(lib, f"landstep_get{suffix}")(h, "høyde".encode(), pointers[0], 3) == 0
    assert np.array_equal(one, thirds.astype(kind))
    assert getattr(lib, f"landstep_get_previous{suffix}")(h, b"cvl", pointers[0], 3) == 0
    assert np.array_equal(one, (thirds - 7).astype(kind))
    assert getattr(lib, f"landstep_get_change{suffix}")(h, b"cvl", *pointers, 3) == 0
    assert np.array_equal(one, (thirds / 2).astype(kind))
    assert np.array_equal(other, (thirds / 4).astype(kind))
    between = getattr(lib, f"landstep_get_transition{suffix}")
    assert between(h, "høyde".encode(), b"cvl", pointers[0], 3) == 0
    assert np.array_equal(one, (thirds / 3 + 1).astype(kind))
    assert getattr(lib, f"landstep_get_maximum{suffix}")(h, b"cvl", pointers[0], 3, 2100) == 0
    assert np.array_equal(one, (thirds + 2100).astype(kind))


@pytest.mark.parametrize(("suffix", "kind"), KINDS)
def test_months_are_copied_out_points_fastest(recorded: Any, suffix: str, kind: type) -> None:
    months = np.zeros((12, 3), kind)
    function = getattr(recorded.lib, f"landstep_get_monthly{suffix}")
    assert function(recorded.handle, b"cvl", flat(recorded, months), 3, 12) == 0
    expected = np.array([1.0, 2.0, 3.0]) / 3 + np.arange(12.0)[:, None]
    assert np.array_equal(months, expected.astype(kind))


@pytest.mark.parametrize(("suffix", "kind"), KINDS)
def test_a_change_is_added_in_the_hosts_own_memory_and_kind(
    recorded: Any, suffix: str, kind: type
) -> None:
    own = np.array([0.1, -0.0, 2.0], kind)
    given, values = own.copy(), flat(recorded, own)
    function = getattr(recorded.lib, f"landstep_add_change{suffix}")
    assert function(recorded.handle, b"cvl", values, 3) == 0
    assert Recorder.last.kept["cvl"].tobytes() == given.tobytes()
    assert np.array_equal(own, given + (np.array([1.0, 2.0, 3.0]) / 3).astype(kind))


def test_dates_answers_and_paths_pass(recorded: Any) -> None:
    assert recorded.update(1851, 1, 31) == (0, "", 1)
    assert recorded.update(1851, 2, 1) == (0, "", 0)
    assert Recorder.last.kept["date"] == (1851, 2, 1)
    moved = recorded.ffi.new("int *", -7)
    for name, answer in ((b"cvl", 1), (b"cvh", 0)):
        assert recorded.lib.landstep_changed(recorded.handle, name, moved) == 0
        assert moved[0] == answer
    assert recorded.lib.landstep_write_restart(recorded.handle, "å.nc".encode()) == 0
    assert Recorder.last.kept["restart"] == "å.nc"
    assert recorded.lib.landstep_close(recorded.handle) == 0
    assert Recorder.last.kept["closed"]


def test_what_was_measured_of_the_points_is_told(recorded: Any) -> None:
    counts = [recorded.ffi.new("int *", -7) for _ in range(4)]
    mean = recorded.ffi.new("double *", -7)
    served, without, least, most = counts
    assert (
        recorded.lib.landstep_get_coverage(recorded.handle, served, without, least, mean, most) == 0
    )
    assert [count[0] for count in counts] == [11, 2, 3, 6] and mean[0] == 4.5


def test_texts_fit_their_room_or_are_refused(recorded: Any) -> None:
    lib, h = recorded.lib, recorded.handle
    room = recorded.ffi.new("char[]", b"untouched")
    whole = "units of høyde".encode()
    status = lib.landstep_describe(h, "høyde".encode(), b"units", room, len(whole))
    assert recorded.told(status) == (8, "units of høyde has 15 bytes and a NUL, the room is for 15")
    assert recorded.ffi.string(room) == b"untouched"
    wide = recorded.ffi.new("char[]", 64)
    assert lib.landstep_describe(h, "høyde".encode(), b"units", wide, len(whole) + 1) == 0
    assert recorded.ffi.string(wide) == whole
    count = recorded.ffi.new("int *")
    assert lib.landstep_field_count(h, count) == 0 and count[0] == len(NAMES)
    for position, name in enumerate(NAMES):
        assert lib.landstep_field_name(h, position, wide, 64) == 0
        assert recorded.ffi.string(wide).decode() == name
    for position in (-1, 2):
        status = lib.landstep_field_name(h, position, wide, 64)
        assert recorded.told(status) == (8, f"field {position} of 2, counted from 0")
    assert recorded.ffi.string(wide).decode() == NAMES[-1]


def test_two_handles_work_at_once_and_one_waits(
    recorded: Any, c_api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The barrier is passed only if two threads are inside different handles together."""
    other = type(recorded)(c_api)
    assert other.open("another", year=None) == (0, "")
    barrier, inside, most = threading.Barrier(2, timeout=1800), [0], [0]

    def meet(self: Recorder, year: int, month: int, day: int) -> bool:
        if month == 2:
            barrier.wait()
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        threading.Event().wait(0.01)
        inside[0] -= 1
        return True

    monkeypatch.setattr(Recorder, "update", meet)
    answers: list[Any] = []

    def start(hosts: list[Any], month: int) -> None:
        run = [
            threading.Thread(target=lambda h=h: answers.append(h.update(2000, month)))
            for h in hosts
        ]
        for thread in run:
            thread.start()
        for thread in run:
            thread.join(1800)

    start([recorded, other], 2)
    most[0] = 0
    start([recorded] * 4, 1)
    assert answers == [(0, "", 1)] * 6 and most == [1]
