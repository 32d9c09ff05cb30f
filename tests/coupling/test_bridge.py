import ctypes
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from landstep.coupling import bridge
from landstep.coupling.coupler import Coupler
from landstep.coupling.embed_build import public_functions, python_functions
from landstep.emulator import errors

LON, LAT = np.array([-29.31, 330.9, 20.0]), np.array([49.5, 49.8, 49.5])


class Host:
    """A host written in C, as Python sees it: every call gives (status, text)."""

    def __init__(self, api: tuple[Any, Any]) -> None:
        self.ffi, self.lib = api
        self.handle = 0

    def text(self, size: int = 4096) -> str:
        buffer = self.ffi.new("char[]", size)
        self.lib.landstep_last_error(buffer, size)
        return self.ffi.string(buffer).decode()

    def told(self, status: int) -> tuple[int, str]:
        return status, self.text() if status else ""

    def doubles(self, values: np.ndarray) -> Any:
        return self.ffi.from_buffer("double[]", values)

    def open(self, experiment: str | Path, year: int | None = 2015, n: int = 3) -> tuple[int, str]:
        handle = self.ffi.new("int *", -7)
        start = self.ffi.NULL if year is None else self.ffi.new("int *", year)
        null = self.ffi.NULL
        lon, lat, path = self.doubles(LON), self.doubles(LAT), os.fsencode(experiment)
        status = self.lib.landstep_open(path, n, lon, lat, null, null, start, null, handle)
        assert (handle[0] == -7) == (status != 0), "a failure wrote an output"
        self.handle = handle[0] if status == 0 else self.handle
        return self.told(status)

    def update(self, year: int, month: int = 1, day: int = 1) -> tuple[int, str, int]:
        changed = self.ffi.new("int *", -7)
        status = self.lib.landstep_update(self.handle, year, month, day, changed)
        return *self.told(status), changed[0]

    def get(self, name: str, values: np.ndarray) -> tuple[int, str]:
        return self.told(
            self.lib.landstep_get(self.handle, name.encode(), self.doubles(values), values.size)
        )


@pytest.fixture
def host(c_api: tuple[Any, Any]) -> Host:
    return Host(c_api)


@pytest.fixture
def opened(host: Host, experiment: Path) -> Any:
    assert host.open(experiment) == (0, "")
    yield host
    host.lib.landstep_close(host.handle)


def test_fields_through_c_are_those_of_the_python_coupler(opened: Host, experiment: Path) -> None:
    coupler = Coupler.open(experiment, LON, LAT, year=2015)
    assert coupler.get("covered_fraction").tolist() == [1.0, 1.0, 0.0]
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


def test_two_handles_are_two_runs(opened: Host, c_api: tuple[Any, Any], experiment: Path) -> None:
    other = Host(c_api)
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
        (lambda h: h.get("dominant_class", np.ones(2)), 8, "has 3 values, .* the array has 2"),
        (lambda h: h.get("dominant_class", np.ones(4)), 8, "the array has 4"),
        (lambda h: h.update(2031)[:2], 5, "2031 asked, 2015 reached: that skips 2016"),
        (lambda h: h.update(1999)[:2], 5, "time went back"),
        (lambda h: h.update(2015, 1, 32)[:2], 5, "day 32"),
        (lambda h: h.told(h.lib.landstep_close(12345)), 8, "handle 12345 is not open"),
        (lambda h: h.told(h.lib.landstep_write_restart(h.handle, b"/no/r.nc")), 2, "/no/r.nc"),
        (lambda h: h.open("no_such.toml"), 4, "no_such.toml"),
        (lambda h: h.open("ärger/не.toml"), 4, "ärger/не.toml"),
        (lambda h: h.open("x", n=-1), 8, "n_points -1 is negative"),
    ],
)
def test_a_wrong_call_is_told_and_the_host_goes_on(
    opened: Host, call: Any, status: int, text: str, capfd: pytest.CaptureFixture[str]
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


def test_null_pointers_are_named(opened: Host) -> None:
    nul, lib, name = opened.ffi.NULL, opened.lib, b"dominant_class"
    lon, handle = opened.doubles(LON), opened.ffi.new("int *")
    for status, what in [
        (lambda: lib.landstep_open(nul, 3, lon, lon, nul, nul, nul, nul, handle), "experiment"),
        (lambda: lib.landstep_open(b"x", 3, nul, lon, nul, nul, nul, nul, handle), "lon_deg"),
        (lambda: lib.landstep_open(b"x", 3, lon, nul, nul, nul, nul, nul, handle), "lat_deg"),
        (lambda: lib.landstep_open(b"x", 3, lon, lon, nul, nul, nul, nul, nul), "handle"),
        (lambda: lib.landstep_update(opened.handle, 2015, 1, 1, nul), "changed"),
        (lambda: lib.landstep_get(opened.handle, nul, lon, 3), "name"),
        (lambda: lib.landstep_get(opened.handle, name, nul, 3), "values"),
        (lambda: lib.landstep_get_float(opened.handle, name, nul, 3), "values"),
        (lambda: lib.landstep_write_restart(opened.handle, nul), "path"),
    ]:
        assert status() == 8
        assert opened.text() == f"{what} is a null pointer"


def test_a_negative_count_is_refused(opened: Host) -> None:
    values = np.ones(3)
    status = opened.lib.landstep_get(opened.handle, b"dominant_class", opened.doubles(values), -3)
    assert (status, values.tolist()) == (8, [1.0, 1.0, 1.0])


def test_a_long_message_is_cut_at_a_whole_character(opened: Host) -> None:
    assert opened.get("å" * 3000, np.ones(3))[0] == 8
    whole = opened.text()
    assert len(whole.encode()) <= 4095 and "å" in whole
    for size in (1, 2, 30, 31, 32):
        cut = opened.text(size)
        assert len(cut.encode()) < size and whole.startswith(cut)
    assert opened.lib.landstep_last_error(opened.ffi.NULL, 0) == len(whole.encode())


def test_each_thread_has_its_own_last_error(opened: Host) -> None:
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


def test_threads_that_share_a_handle_wait_for_each_other(opened: Host) -> None:
    """The year is stepped once, and one of the callers hears of it."""
    answers: list[tuple[int, str, int]] = []
    threads = [
        threading.Thread(target=lambda: answers.append(opened.update(2016))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(answers) == [(0, "", 0)] * 3 + [(0, "", 1)]


def test_a_caller_that_holds_the_gil_does_not_hang(liblandstep: Path, opened: Host) -> None:
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
        thread.join(60)
        assert not thread.is_alive()
    assert changed.value in (0, 1)


FORK = """
import os, sys
import numpy as np
sys.path.insert(0, sys.argv[3])
import cffi
ffi = cffi.FFI()
ffi.cdef(open(sys.argv[4]).read())
lib = ffi.dlopen(sys.argv[1])
lon, lat = np.array([-29.3]), np.array([49.5])
handle, year, changed = ffi.new("int *"), ffi.new("int *", 2015), ffi.new("int *")
a, n = lambda x: ffi.from_buffer("double[]", x), ffi.NULL
assert lib.landstep_open(sys.argv[2].encode(), 1, a(lon), a(lat), n, n, year, n, handle) == 0
child = os.fork()
status = [lib.landstep_update(handle[0], 2016, 1, 1, changed),
          lib.landstep_open(sys.argv[2].encode(), 1, a(lon), a(lat), n, n, year, n, handle)]
text = ffi.new("char[]", 200)
lib.landstep_last_error(text, 200)
if child == 0:
    good = status == [8, 8] and b"handle not usable after fork" in ffi.string(text)
    os._exit(0 if good else 1)
assert status == [0, 0]
assert os.waitpid(child, 0)[1] == 0
"""


def test_a_forked_child_is_told_and_the_parent_goes_on(
    liblandstep: Path, experiment: Path, header: str, tmp_path: Path
) -> None:
    declarations = tmp_path / "plain.h"
    functions = public_functions(header).items()
    declarations.write_text("".join(f"int {name}({given});\n" for name, given in functions))
    arguments = [str(liblandstep), str(experiment), str(tmp_path), str(declarations)]
    done = subprocess.run([sys.executable, "-c", FORK, *arguments], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_process_that_looked_at_a_capsule_still_starts(
    liblandstep: Path, experiment: Path
) -> None:
    """cffi's start waits for ever once anything has looked up an attribute of a capsule."""
    script = (
        "import sys, ctypes, datetime\n"
        "getattr(datetime.datetime_CAPI, 'nothing', None)\n"
        "lib = ctypes.CDLL(sys.argv[1])\n"
        "one = (ctypes.c_double * 1)(11.0)\n"
        "handle = ctypes.c_int()\n"
        "status = lib.landstep_open(sys.argv[2].encode(), ctypes.c_longlong(1), one, one, None,"
        " None, None, b'/no/restart.nc', ctypes.byref(handle))\n"
        "sys.exit(status)\n"
    )
    command = [sys.executable, "-c", script, str(liblandstep), str(experiment)]
    assert subprocess.run(command, timeout=100, check=False).returncode == errors.StateError.status


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


def test_python_answers_every_function_of_the_header_but_two(header: str) -> None:
    prefix = "int landstep_py_"
    answered = {text.split("(")[0].removeprefix(prefix) for text in python_functions(header)}
    declared = {name.removeprefix("landstep_") for name in public_functions(header)}
    assert declared - answered == {"last_error"} and answered - declared == set()


@pytest.mark.parametrize(
    "error", [SystemExit(3), KeyboardInterrupt(), ValueError("odd"), MemoryError()]
)
def test_no_exception_passes_into_c(error: BaseException) -> None:
    cffi = pytest.importorskip("cffi")
    ffi = cffi.FFI()

    def fails(_: int) -> None:
        raise error

    message = ffi.new("char[]", 64)
    assert bridge.guarded(ffi, fails)(1, message, 64) == errors.LandstepError.status
    assert ffi.string(message).decode().startswith(type(error).__name__)
    assert bridge.guarded(ffi, fails)(1, message, 0) == errors.LandstepError.status


def test_success_is_never_what_cffi_answers_by_itself() -> None:
    assert bridge.guarded(None, lambda: None)(None, 0) == bridge.DONE != 0
    assert bridge.DONE > errors.DependencyError.status


def test_messages_end_in_nul_within_their_room() -> None:
    assert bridge.whole_characters("åå", 4) == "å".encode() + b"\0"
    assert bridge.whole_characters("a\0b", 9) == b"a?b\0"
    assert bridge.whole_characters("\udcff", 99) == b"\\udcff\0"
    assert bridge.whole_characters("abc", 1) == b"\0"
