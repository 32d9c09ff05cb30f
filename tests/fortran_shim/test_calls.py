"""Every call of module landstep, in both kinds and ranks, reaches the coupler as it was made."""

import ctypes
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from landstep.coupling import coupler
from landstep.coupling.point_coverage import PointCoverage
from landstep.emulator.errors import CouplingError
from landstep.fortran_shim import build

LINE = np.arange(6.0)


class Recorder:
    """A coupler that keeps what it is given and answers with parts of LINE."""

    opened: list[dict[str, Any]] = []
    kept: list[tuple[Any, ...]] = []
    n = 6

    @classmethod
    def open(cls, experiment: str, lon: np.ndarray, lat: np.ndarray, **given: Any) -> "Recorder":
        cls.opened.append({"experiment": experiment, "lon": lon, "lat": lat, **given})
        return cls()

    def baseline(self, name: str, values: np.ndarray) -> None:
        self.kept.append((name, values))

    def put(self, name: str, values: np.ndarray, units: str = "") -> None:
        self.kept.append((name, values, units))

    def update(self, year: int, month: int, day: int) -> bool:
        return (year, month, day) == (1851, 1, 31)

    def changed(self, name: str) -> bool:
        return name == "cvl"

    def get(self, name: str, kind: Any = np.float64) -> np.ndarray:
        return LINE / 3

    def get_previous(self, name: str, kind: Any = np.float64) -> np.ndarray:
        return LINE / 5

    def get_monthly(self, name: str) -> np.ndarray:
        return LINE[:, None] + np.arange(1.0, 13.0)

    def add_change(self, name: str, values: np.ndarray) -> np.ndarray:
        return values * 2

    def get_change(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        return LINE, LINE / 2

    def get_coverage(self) -> PointCoverage:
        return PointCoverage(11, 2, 3, 4.5, 6)

    def get_transition(self, from_class: str, to_class: str) -> np.ndarray:
        if to_class == "tundra":
            raise CouplingError(f"no class {to_class!r}")
        return LINE / 7

    def get_maximum(self, name: str, last_year: int) -> np.ndarray:
        return LINE / last_year

    def describe(self, name: str, attribute: str) -> str:
        return f"{attribute} of {name}"

    def names(self) -> list[str]:
        return ["cvl", "cvh"]

    def write_restart(self, path: str) -> None:
        self.kept.append(("restart", path))

    def close(self) -> None:
        """Nothing to let go."""


@pytest.mark.parametrize("flags", [["-O2"], ["-g", "-fcheck=all"], ["-Ofast", "-fdefault-real-8"]])
def test_every_call_of_fortran_reaches_the_coupler(
    tools: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, flags: list[str]
) -> None:
    program = tmp_path / "calls.so"
    library = build.shared_library().parent
    sources = [*build.fortran_sources(), Path(__file__).with_name("calls_host.f90")]
    compile_all = [
        build.fortran_compiler(), "-std=f2018", "-Wall", "-Wextra", "-Werror", *flags, "-fPIC",
        "-c", *map(str, sources),
    ]  # fmt: skip
    done = subprocess.run(compile_all, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    link = [  # without -Ofast: what it links would flush the denormals of this whole process
        build.fortran_compiler(), "-shared", "-o", str(program),
        *(str(tmp_path / f"{source.stem}.o") for source in sources),
        f"-L{library}", "-llandstep", f"-Wl,-rpath,{library}",
    ]  # fmt: skip
    done = subprocess.run(link, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    monkeypatch.setattr(coupler, "Coupler", Recorder)
    monkeypatch.setattr(Recorder, "opened", [])
    monkeypatch.setattr(Recorder, "kept", [])
    assert ctypes.CDLL(str(program)).run_calls() == 0
    assert np.nextafter(0.0, 1.0) * 1.0 > 0, "denormals are flushed"

    assert [given["experiment"] for given in Recorder.opened] == ["whole"] * 4 + ["bare"]
    assert set(Recorder.opened[-1]) == {"experiment", "lon", "lat"}
    pairs, corners = np.arange(12.0).reshape(6, 2), np.arange(24.0).reshape(6, 4)
    for given in Recorder.opened[:4]:
        words = {name: given[name] for name in ("comm", "year", "restart", "start")}
        assert words == {"comm": 42, "year": 1850, "restart": "r.nc", "start": "branch"}
        for name, expected in {
            "lon": LINE,
            "lat": LINE,
            "lon_bounds": pairs,
            "lat_bounds": pairs,
            "vertex_lon": corners,
            "vertex_lat": corners,
            "area_m2": LINE,
            "index": np.array([6, 5, 4, 3, 2, 1]),
            "mask": np.array([True, True, False, True, True, False]),
        }.items():
            assert given[name].dtype == expected.dtype and np.array_equal(given[name], expected)

    kept = Recorder.kept
    months = np.arange(72.0).reshape(12, 6).T
    for name, values in kept[:4]:
        assert name == "line" and np.array_equal(values, LINE)
    for name, values in kept[4:8]:
        assert name == "months" and np.array_equal(values, months)
    for name, values, units in kept[8:12]:
        assert (name, units) == ("line", "K") and np.array_equal(values, LINE)
    assert kept[12][0] == "bare" and kept[12][2] == ""
    assert kept[13:] == [("restart", "out.nc")]
