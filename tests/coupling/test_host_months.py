"""Rules between months that have a host's name: the bits of a Fortran routine, in both kinds."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Callable
from pathlib import Path

import cftime
import numpy as np
import pytest

from landstep.coupling.seasons import value_on
from landstep.emulator.errors import DependencyError
from landstep.fortran_shim import build

POINTS = 400
LAT = np.where(np.arange(POINTS) % 3, 1.0, -1.0) * np.linspace(0, 89, POINTS)
MAPS = np.random.default_rng(7).random((POINTS, 12)) * np.geomspace(1e-3, 7.0, POINTS)[:, None]
Days = list[tuple[int, int, int]]
OfDay = Callable[[str, np.ndarray, tuple[int, int, int]], np.ndarray]


@pytest.fixture(scope="module")
def of_day(tmp_path_factory: pytest.TempPathFactory) -> OfDay:
    """Give the function that lets Fortran compute the values of a day."""
    try:
        compiler = build.fortran_compiler()
    except DependencyError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("months")
    source, library = Path(__file__).with_name("months.f90"), folder / "months.so"
    flags = ["-std=f2018", "-Wall", "-Wextra", "-Werror", "-O2", "-ffp-contract=off"]
    command = [compiler, *flags, "-shared", "-fPIC", f"-J{folder}", "-o", str(library), str(source)]
    subprocess.run(command, check=True)
    months = ctypes.CDLL(str(library))

    def call(rule: str, maps: np.ndarray, date: tuple[int, int, int]) -> np.ndarray:
        single = maps.dtype == np.float32
        flat = np.asfortranarray(maps)
        found = np.empty(len(maps), maps.dtype)
        pointers = [ctypes.c_int(len(maps)), flat.ctypes.data_as(ctypes.c_void_p)]
        out = found.ctypes.data_as(ctypes.c_void_p)
        year, month, day = date
        if rule == "ecland":
            first = month if day >= 15 else (month + 10) % 12 + 1
            days = days_of(year, first)
            left = days + 15 - day if day >= 15 else 15 - day
            name = "ecland_single" if single else "ecland_double"
            getattr(months, name)(*pointers, first, first % 12 + 1, left, days, out)
        elif rule == "ctsm":
            days = 28 if month == 2 else days_of(year, month)
            months.ctsm(*pointers, month, day, days, out)
        else:
            lat = LAT.astype(maps.dtype)
            passed = sum(days_of(year, m) for m in range(1, month)) + day - 1
            name = "noahmp_single" if single else "noahmp_double"
            call_it = getattr(months, name)
            place = lat.ctypes.data_as(ctypes.c_void_p)
            call_it(*pointers, place, passed, sum(days_of(year, m) for m in range(1, 13)), out)
        return found

    return call


def days_of(year: int, month: int) -> int:
    return cftime.datetime(year, month, 1, calendar="standard").daysinmonth


def dates_of(year: int) -> Days:
    return [(year, m, d + 1) for m in range(1, 13) for d in range(days_of(year, m))]


@pytest.mark.parametrize(
    ("rule", "kind"),
    [
        ("ecland", np.float64), ("ecland", np.float32), ("ctsm", np.float64),
        ("noahmp", np.float64), ("noahmp", np.float32),
    ],
)  # fmt: skip
def test_the_bits_are_those_of_the_hosts_order_of_operations(
    of_day: OfDay, rule: str, kind: type
) -> None:
    maps = MAPS.astype(kind)
    for date in (*dates_of(2016), *dates_of(2017)):
        found = value_on(maps.astype(np.float64), rule, *date, "standard", LAT, kind)
        assert found.dtype == kind
        assert found.tobytes() == of_day(rule, maps, date).tobytes(), (rule, date)


def test_another_order_of_operations_is_seen(of_day: OfDay) -> None:
    """A third of all values: the reason for the rules, and for add_change."""
    start, end = MAPS[:, 0], MAPS[:, 1]
    other = start + 10 / 31 * (end - start)
    found = of_day("ecland", MAPS, (2015, 1, 25))
    assert 0.1 < (other != found).mean() < 0.6
    assert np.allclose(other, found, rtol=1e-13)
