import ctypes
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from landstep.coupling import bridge
from landstep.coupling.coupler import Coupler
from landstep.coupling.embed_build import public_functions, public_types, python_functions
from landstep.emulator import errors

LON, LAT = np.array([-29.31, 330.7, 20.0]), np.array([49.5, 49.51, 49.5])


def test_fields_through_c_are_those_of_the_python_coupler(opened: Any, experiment: Path) -> None:
    coupler = Coupler.open(experiment, LON, LAT, year=2015)
    for year in (2015, 2016, 2017):
        assert opened.update(year) == (0, "", 1)
        assert opened.update(year, 12, 31) == (0, "", 0)
        coupler.update(year, 1, 1)
        for name in coupler.names():
            values, single = np.full(3, -7.0), np.full(3, -7.0, np.float32)
            assert opened.get(name, values) == (0, "")
            assert np.array_equal(values, coupler.get(name))
            pointer = opened.ffi.from_buffer("float[]", single)
            assert opened.lib.landstep_get_float(opened.handle, name.encode(), pointer, 3) == 0
            assert np.array_equal(single, coupler.get(name).astype(np.float32))
    assert coupler.get("covered_fraction").tolist() == [1.0, 1.0, 0.0]


def test_two_handles_are_two_runs(opened: Any, c_api: tuple[Any, Any], experiment: Path) -> None:
    other = type(opened)(c_api)
    assert other.open(experiment) == (0, "")
    opened.update(2016)
    assert opened.update(2015)[0] == 5
    assert other.update(2015) == (0, "", 1)
    assert other.lib.landstep_close(other.handle) == 0
    assert opened.update(2017) == (0, "", 1)


@pytest.mark.parametrize(
    ("call", "status", "text"),
    [
        (lambda h: h.get("area_fraction_forrest", np.ones(3)), 8, "did you mean"),
        (
            lambda h: h.get("dominant_class", np.ones(2)),
            8,
            "class': the array has 2 values, expected 3",
        ),
        (lambda h: h.get("dominant_class", np.ones(4)), 8, "the array has 4"),
        (lambda h: h.update(2031)[:2], 5, "2031 asked, 2015 reached: that skips 2016"),
        (lambda h: h.update(1999)[:2], 5, "time went back"),
        (lambda h: h.update(2015, 1, 32)[:2], 5, "day 32"),
        (lambda h: h.told(h.lib.landstep_close(12345)), 8, "handle 12345 is not open"),
        (lambda h: h.told(h.lib.landstep_write_restart(h.handle, b"/no/r.nc")), 2, "/no/r.nc"),
        (lambda h: h.open("no_such.toml"), 4, "no_such.toml"),
        (lambda h: h.open("ärger/не.toml"), 4, "ärger/не.toml"),
        (lambda h: h.open("x", n_points=-1), 8, "n_points -1 is negative"),
        (lambda h: h.open("x", n_vertices=-4), 8, "n_vertices -4 is negative"),
        (
            lambda h: h.open("x", n_vertices=4),
            8,
            "n_vertices is 4, .*vertex_lon_deg.*vertex_lat_deg",
        ),
        (lambda h: h.open("x", abi=1), 9, "points.abi is 1 and liblandstep has .* version 3"),
        (lambda h: h.open("x", abi=0), 9, "set it to LANDSTEP_ABI"),
    ],
)
def test_a_wrong_call_is_told_and_the_host_goes_on(
    opened: Any, call: Any, status: int, text: str, capfd: pytest.CaptureFixture[str]
) -> None:
    opened.update(2015)
    before = np.empty(3)
    opened.get("area_fraction_forest", before)
    told = call(opened)
    assert told[0] == status
    assert re.search(text, told[1]), told[1]
    after = np.empty(3)
    assert opened.get("area_fraction_forest", after) == (0, "")
    assert np.array_equal(before, after)
    assert opened.update(2015, 2, 2) == (0, "", 0)
    assert capfd.readouterr() == ("", "")


def test_an_array_may_hold_the_served_points_alone(host: Any, coupled: Callable[..., Path]) -> None:
    """A host with blocks keeps some fields in blocks, others without their padding."""
    mask = np.array([1, 0, 1], np.int32)
    how = coupled("packed", host="classes", geometry="left")
    assert host.open(how, mask=host.ffi.from_buffer("int[]", mask))[0] == 0
    name, h = b"area_fraction_forest", host.handle
    lib, own = host.lib, np.array([0.25, 0.5])
    for n, values in ((2, own), (3, np.array([0.25, np.nan, 0.5]))):
        assert lib.landstep_baseline(h, b"covered_fraction", host.doubles(values), n, 1) == 0
    status = lib.landstep_baseline(h, name, host.doubles(np.ones(4)), 4, 1)
    told = (
        "the array has 4 values, expected 3, one for each point, or 2, one for each that is served"
    )
    assert host.told(status) == (8, f"'area_fraction_forest': {told}")
    assert host.update(2015)[0] == 0
    for field in ("covered_fraction", "area_fraction_forest"):
        whole, served = np.full(3, -7.0), np.full(2, -7.0)
        assert host.get(field, whole) == host.get(field, served) == (0, "")
        assert np.array_equal(whole[[0, 2]], served) and (served >= 0).all()
        status = lib.landstep_get_previous(h, field.encode(), host.doubles(served), 2)
        assert status == 0 and np.array_equal(whole[[0, 2]], served)
    values = np.array([0.25, 0.5])
    assert lib.landstep_add_change(h, b"covered_fraction", host.doubles(values), 2) == 0
    assert values.tolist() == [0.25, 0.5]
    gain, loss = np.full(2, -7.0), np.full(2, -7.0)
    status = lib.landstep_get_change(h, b"forest", host.doubles(gain), host.doubles(loss), 2)
    assert status == 0 and gain.tolist() == loss.tolist() == [0, 0]
    assert lib.landstep_close(h) == 0


def test_null_pointers_are_named(opened: Any) -> None:
    nul, lib, name, h = opened.ffi.NULL, opened.lib, b"dominant_class", opened.handle
    values, handle, few = opened.doubles(np.ones(3)), opened.ffi.new("int *"), opened.points()
    other, room = opened.doubles(np.ones(3)), opened.ffi.new("char[]", 8)
    floats = opened.ffi.new("float[]", 3), opened.ffi.new("float[]", 3)
    no_lon, no_lat = opened.points(lon_deg=nul), opened.points(lat_deg=nul)
    calls = [
        (lib.landstep_open, (nul, few, -1, nul, nul, nul, handle), "experiment"),
        (lib.landstep_open, (b"x", nul, -1, nul, nul, nul, handle), "points"),
        (lib.landstep_open, (b"x", no_lon, -1, nul, nul, nul, handle), "points.lon_deg"),
        (lib.landstep_open, (b"x", no_lat, -1, nul, nul, nul, handle), "points.lat_deg"),
        (lib.landstep_open, (b"x", few, -1, nul, nul, nul, nul), "handle"),
        (lib.landstep_update, (h, 2015, 1, 1, nul), "changed"),
        (lib.landstep_changed, (h, nul, handle), "name"),
        (lib.landstep_changed, (h, name, nul), "changed"),
        (lib.landstep_describe, (h, nul, b"units", room, 8), "name"),
        (lib.landstep_describe, (h, name, nul, room, 8), "attribute"),
        (lib.landstep_describe, (h, name, b"units", nul, 8), "text"),
        (lib.landstep_field_count, (h, nul), "count"),
        (lib.landstep_field_name, (h, 0, nul, 8), "text"),
        (lib.landstep_write_restart, (h, nul), "path"),
    ]
    counts = ("served", "without_land", "cells_least", "cells_mean", "cells_most")
    mean = opened.ffi.new("double *")
    for what in counts:
        places = (nul if of == what else mean if of == "cells_mean" else handle for of in counts)
        calls.append((lib.landstep_get_coverage, (h, *places), what))
    for kind, one, two in (("", values, other), ("_float", *floats)):
        for call, rest in (
            ("baseline", (1,)), ("put", (nul,)), ("get", ()), ("get_previous", ()),
            ("get_monthly", (12,)), ("add_change", ()), ("get_maximum", (2100,)),
        ):  # fmt: skip
            function = getattr(lib, f"landstep_{call}{kind}")
            calls.append((function, (h, nul, one, 3, *rest), "name"))
            calls.append((function, (h, name, nul, 3, *rest), "values"))
        function = getattr(lib, f"landstep_get_change{kind}")
        calls.append((function, (h, nul, one, two, 3), "class_name"))
        between = getattr(lib, f"landstep_get_transition{kind}")
        calls.append((between, (h, nul, name, one, 3), "from_class"))
        calls.append((between, (h, name, nul, one, 3), "to_class"))
        calls.append((between, (h, name, name, nul, 3), "values"))
        calls.append((function, (h, name, nul, two, 3), "gain"))
        calls.append((function, (h, name, one, nul, 3), "loss"))
    for function, arguments, what in calls:
        assert function(*arguments) == 8
        assert opened.text() == f"{what} is a null pointer"


def test_a_negative_count_is_refused(opened: Any) -> None:
    values = np.ones(3)
    status = opened.lib.landstep_get(opened.handle, b"dominant_class", opened.doubles(values), -3)
    assert (status, values.tolist()) == (8, [1.0, 1.0, 1.0])


@pytest.mark.parametrize("count", [2**31, 2**50, 2**60, 2**61, 2**63 - 1])
def test_a_count_that_no_memory_holds_is_refused_by_name(
    opened: Any, host: Any, experiment: Path, count: int
) -> None:
    """Nothing is read: 2^61 points of 8 bytes are 0 bytes where sizes wrap around."""
    status, text = host.open(experiment, n_points=count)
    assert (status, "n_points" in text, str(count) in text) == (8, True, True)
    values = np.ones(3)
    lib, doubles = opened.lib, opened.doubles
    for call in (
        lambda: lib.landstep_get(opened.handle, b"dominant_class", doubles(values), count),
        lambda: lib.landstep_get_change(
            opened.handle, b"forest", doubles(values), doubles(np.ones(3)), count
        ),
        lambda: lib.landstep_put(opened.handle, b"air_temperature", doubles(values), count, b"K"),
        lambda: lib.landstep_baseline(
            opened.handle, b"area_fraction_forest", doubles(values), count, 12
        ),
    ):
        status, text = opened.told(call())
        assert (status, str(count) in text) == (8, True)
    assert values.tolist() == [1.0, 1.0, 1.0]


def test_vertices_that_no_memory_holds_are_refused_by_name(host: Any, experiment: Path) -> None:
    corners = host.doubles(np.zeros(3))
    status, text = host.open(
        experiment, n_vertices=2**31 - 1, vertex_lon_deg=corners, vertex_lat_deg=corners
    )
    assert (status, "n_vertices" in text, str(2**31 - 1) in text) == (8, True, True)


@pytest.mark.parametrize("path", [b"", b"/", b"//", b"/tmp", b"/tmp/", b"."])
def test_a_restart_path_that_names_no_file_has_a_status(
    opened: Any, c_api: tuple[Any, Any], experiment: Path, path: bytes
) -> None:
    ffi, lib = c_api
    assert opened.update(2015)[0] == 0
    status, text = opened.told(lib.landstep_write_restart(opened.handle, path))
    assert (status, repr(path.decode()) in text) == (6, True)
    handle = ffi.new("int *", -7)
    status = lib.landstep_open(
        bytes(experiment), opened.points(), -1, ffi.NULL, path, ffi.NULL, handle
    )
    assert (status, handle[0]) == (6, -7)
    assert repr(path.decode()) in opened.text()


@pytest.mark.parametrize(
    "path", [b"/tmp/" + b"a" * 5000, b"/tmp/\xff\xfe/x.nc", b"/no\nfolder/x.nc"]
)
def test_a_restart_path_that_cannot_be_has_a_status(
    opened: Any, c_api: tuple[Any, Any], experiment: Path, path: bytes
) -> None:
    ffi, lib = c_api
    assert opened.update(2015)[0] == 0
    status = lib.landstep_write_restart(opened.handle, path)
    assert status == (8 if b"\xff" in path else 2), opened.text()  # 8: a text that is not UTF-8
    handle = ffi.new("int *", -7)
    status = lib.landstep_open(
        bytes(experiment), opened.points(), -1, ffi.NULL, path, ffi.NULL, handle
    )
    assert (status, handle[0]) == (6, -7), opened.text()


def test_a_long_message_is_cut_at_a_whole_character(opened: Any) -> None:
    opened.update(2015)
    assert opened.get("å" * 3000, np.ones(3))[0] == 8
    whole = opened.text()
    assert len(whole.encode()) <= 4095 and "å" in whole
    for size in (1, 2, 30, 31, 32):
        cut = opened.text(size)
        assert len(cut.encode()) < size and whole.startswith(cut)
    assert opened.lib.landstep_last_error(opened.ffi.NULL, 0) == len(whole.encode())


def test_each_thread_has_its_own_last_error(opened: Any) -> None:
    opened.get("mine", np.ones(3))
    seen: list[str] = []

    def other() -> None:
        seen.append(opened.text())
        opened.get("theirs", np.ones(3))
        seen.append(opened.text())

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert seen[0] == "" and "theirs" in seen[1]
    assert "mine" in opened.text()


def test_threads_that_share_a_handle_wait_for_each_other(opened: Any) -> None:
    """The year is stepped once, and one of the callers hears of it."""
    answers: list[tuple[int, str, int]] = []
    threads = [
        threading.Thread(target=lambda: answers.append(opened.update(2016))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(1800)
    assert sorted(answers) == [(0, "", 0)] * 3 + [(0, "", 1)]


def test_a_caller_that_holds_the_gil_does_not_hang(liblandstep: Path, opened: Any) -> None:
    library = ctypes.PyDLL(str(liblandstep))  # PyDLL keeps the GIL, as f2py does
    changed = ctypes.c_int(-7)
    threads = [
        threading.Thread(
            target=lambda: library.landstep_update(opened.handle, 2016, 1, 1, ctypes.byref(changed))
        )
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(1800)
        assert not thread.is_alive()
    assert changed.value in (0, 1)


IN_C = """
import os, sys
import cffi, numpy as np
ffi = cffi.FFI()
ffi.cdef(open(sys.argv[2]).read())
lib = ffi.dlopen(sys.argv[1])
lon, lat = ffi.new("double[]", [-29.3]), ffi.new("double[]", [49.5])
of = {"abi": lib.landstep_abi(), "n_points": 1, "lon_deg": lon, "lat_deg": lat}
points = ffi.new("landstep_points *", of)
handle, year, changed = ffi.new("int *"), ffi.new("int *", 2015), ffi.new("int *")
none = ffi.NULL
def open_it(restart=none):
    return lib.landstep_open(sys.argv[3].encode(), points, -1, year, restart, none, handle)
"""
FORK = """
assert open_it() == 0
child = os.fork()
status = [lib.landstep_update(handle[0], 2016, 1, 1, changed), open_it()]
text = ffi.new("char[]", 200)
lib.landstep_last_error(text, 200)
if child == 0:
    good = status == [8, 8] and b"handle not usable after fork" in ffi.string(text)
    os._exit(0 if good else 1)
assert status == [0, 0]
assert os.waitpid(child, 0)[1] == 0
"""
CAPSULE = """
import datetime
getattr(datetime.datetime_CAPI, 'nothing', None)
sys.exit(open_it(ffi.new("char[]", b"/no/restart.nc")))
"""
ENVIRONMENT = """
import ctypes
def of_c():
    entries = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), "environ")
    found = []
    while entries[len(found)] is not None:
        found.append(entries[len(found)])
    return sorted(found)
before = dict(os.environ), of_c()
assert open_it() == 0 and lib.landstep_update(handle[0], 2016, 1, 1, changed) == 0
assert (dict(os.environ), of_c()) == before
"""


@pytest.fixture
def in_c(liblandstep: Path, experiment: Path, header: str, tmp_path: Path) -> Any:
    """Give the function that runs a script on top of IN_C: return code, stdout, stderr."""
    declarations = tmp_path / "plain.h"
    functions = [f"int {name}({given});" for name, given in public_functions(header).items()]
    declarations.write_text("\n".join([*public_types(header), *functions]))

    def run(script: str) -> tuple[int, str, str]:
        arguments = [str(liblandstep), str(declarations), str(experiment)]
        command = [sys.executable, "-c", IN_C + script, *arguments]
        ours = {
            "HDF5_PLUGIN_PATH",
            "ORT_DISABLE_TELEMETRY",
        }  # libraries of this process may set them
        env = {name: value for name, value in os.environ.items() if name not in ours}
        done = subprocess.run(command, capture_output=True, text=True, timeout=1800, env=env)
        return done.returncode, done.stdout, done.stderr

    return run


def test_a_forked_child_is_told_and_the_parent_goes_on(in_c: Any) -> None:
    """Fault 75."""
    assert in_c(FORK) == (0, "", "")


def test_the_environment_is_left_as_it_was_found(in_c: Any) -> None:
    """Programs that the host starts inherit it: no switch, no path of ours (fault 89)."""
    assert in_c(ENVIRONMENT) == (0, "", "")


def test_a_process_that_looked_at_a_capsule_still_starts(in_c: Any) -> None:
    """cffi's start waits for ever once anything has looked up an attribute of a capsule."""
    assert in_c(CAPSULE) == (errors.StateError.status, "", "")


def test_the_header_names_the_statuses_of_the_exceptions(c_api: tuple[Any, Any]) -> None:
    _, lib = c_api
    for name in dir(errors):
        kind = getattr(errors, name)
        if isinstance(kind, type) and issubclass(kind, errors.LandstepError):
            words = "ERROR" if name == "LandstepError" else name.replace("Error", "_Error").upper()
            assert getattr(lib, f"LANDSTEP_{words}") == kind.status


def test_header_library_and_python_have_one_interface_version(
    c_api: tuple[Any, Any], header: str
) -> None:
    _, lib = c_api
    assert f"#define LANDSTEP_ABI {bridge.ABI}\n" in header
    assert lib.landstep_abi() == bridge.ABI


def test_python_answers_every_function_of_the_header_but_three(header: str) -> None:
    prefix = "int landstep_py_"
    answered = {text.split("(")[0].removeprefix(prefix) for text in python_functions(header)}
    declared = {name.removeprefix("landstep_") for name in public_functions(header)}
    assert declared - answered == {"last_error", "version"} and answered - declared == set()


def test_the_library_tells_its_version(host: Any) -> None:
    text = host.ffi.new("char[]", 32)
    assert host.lib.landstep_version(text, 32) == len(version("landstep"))
    assert host.ffi.string(text).decode() == version("landstep")
    assert host.lib.landstep_version(text, 3) == len(version("landstep"))
    assert host.ffi.string(text).decode() == version("landstep")[:2]


@pytest.mark.parametrize(
    ("error", "expected", "said"),
    [
        (SystemExit(3), 1, "SystemExit: 3"),
        (KeyboardInterrupt(), 1, "KeyboardInterrupt"),
        (ValueError("odd"), 1, "ValueError: odd"),
        (MemoryError("3 TiB"), 8, "3 TiB"),
        (OverflowError("2^70"), 8, "2^70"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "why"), 8, "0xff"),
        (OSError(28, "No space left", "a.nc"), 2, "a.nc: No space left"),
    ],
)
def test_no_exception_passes_into_c(error: BaseException, expected: int, said: str) -> None:
    kept: list[bytes] = []

    def fails(_: int) -> None:
        raise error

    def fail(status: int, text: bytes) -> int:
        kept.append(text)
        return status

    assert bridge.guarded(fail, fails)(1) == expected
    assert said in kept[0].decode()


def test_a_package_that_is_missing_is_a_status_of_its_own() -> None:
    """Some are needed by the first call alone."""
    status, text = bridge.describe(ModuleNotFoundError("No module named 'scipy'"))
    assert status == errors.DependencyError.status
    assert text.startswith("No module named 'scipy': a package that landstep needs is missing or b")


def test_success_is_never_what_cffi_answers_by_itself() -> None:
    assert bridge.guarded(lambda *_: 1, lambda: None)() == bridge.DONE != 0
    assert bridge.DONE > errors.DependencyError.status


def test_texts_reach_c_whole_and_without_nul() -> None:
    assert bridge.encoded("å") == "å".encode()
    assert bridge.encoded("a\0b") == b"a?b"
    assert bridge.encoded("\udcff") == b"\\udcff"
