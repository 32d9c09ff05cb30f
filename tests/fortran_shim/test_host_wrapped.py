"""The example host wrapped for Python, driven step by step."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from landstep.coupling.points import Points
from landstep.emulator.classes import scheme

FIRST, LAST = 2015, 2018
NAMES = scheme("hilda8").names
COVERS = ",".join(NAMES)


@pytest.fixture
def wrapped(tools: None) -> Any:
    return pytest.importorskip("landstep.fortran_shim.example_host").host_wrap


def open_wrapped(wrapped: Any, experiment: Path, points: Points, restart: str = "") -> Any:
    host = wrapped.wrapped_host()
    edges = [np.asfortranarray(b.T) for b in (points.lon_bounds, points.lat_bounds)]
    told = wrapped.wrapped_open(
        host, str(experiment), COVERS, points.lon, points.lat, True, *edges, FIRST, restart
    )
    assert told == (0, "")
    return host


def get(wrapped: Any, host: Any, name: str, n: int) -> np.ndarray:
    values = np.full(n, -7.0)
    assert wrapped.wrapped_get(host, name, values) == (0, "")
    return values


def test_the_wrapped_host_equals_the_program(
    wrapped: Any,
    results: dict[str, dict[str, np.ndarray]],
    experiment: Path,
    points: Points,
    capfd: pytest.CaptureFixture[str],
) -> None:
    host, n, plain = open_wrapped(wrapped, experiment, points), points.lon.size, results["plain"]
    for record, year in enumerate(range(FIRST, LAST + 1)):
        assert wrapped.wrapped_run_year(host, year) == (0, "")
        for k, name in enumerate(NAMES):
            found = get(wrapped, host, f"area_fraction_{name}", n)
            assert np.array_equal(found, plain["area_fraction"][record, k])
        for name in ("covered_fraction", "dominant_class"):
            assert np.array_equal(get(wrapped, host, name, n), plain[name][record])
        temperature, latent_heat = np.empty(n), np.empty(n)
        assert wrapped.wrapped_results(host, temperature, latent_heat) == (0, "")
        assert np.allclose(temperature, plain["temperature"][record], rtol=1e-5, atol=0)
        assert np.allclose(latent_heat, plain["latent_heat"][record], rtol=1e-5, atol=0)
    assert (host.year, host.updates) == (LAST, LAST - FIRST + 1)
    assert wrapped.wrapped_close(host) == (0, "")
    assert capfd.readouterr() == ("", "")


def test_the_wrapped_host_is_told_and_goes_on(
    wrapped: Any, experiment: Path, points: Points, tmp_path: Path
) -> None:
    unopened = wrapped.wrapped_host()
    assert wrapped.wrapped_run_year(unopened, FIRST)[0] == 5
    assert wrapped.wrapped_results(unopened, np.empty(1), np.empty(1))[0] == 1
    host = open_wrapped(wrapped, experiment, points)
    _, status, text = wrapped.wrapped_update(host, 2031, 1, 1)
    assert status == 5 and text.startswith("update: 2031 asked, 2015 reached: that skips 2016;")
    n = points.lon.size
    assert wrapped.wrapped_get(host, "dominant_class", np.empty(n))[0] == 5
    assert wrapped.wrapped_update(host, 2015, 1, 1) == (1, 0, "")
    assert wrapped.wrapped_get(host, "dominant_class", np.empty(2))[0] == 8
    assert wrapped.wrapped_update(host, 2015, 1, 2) == (0, 0, "")
    assert wrapped.wrapped_update(host, 2016, 1, 1)[1:] == (0, "")
    restart = tmp_path / "restart.nc"
    assert wrapped.wrapped_write_restart(host, str(restart)) == (0, "")
    again = wrapped.wrapped_host()
    empty = np.zeros((2, 1), order="F")
    place = points.lon[:1], points.lat[:1], False, empty, empty
    told = wrapped.wrapped_open(again, str(experiment), COVERS, *place, 0, str(restart))
    assert told == (0, "")
    assert wrapped.wrapped_update(again, 2016, 1, 1) == (1, 0, "")
    assert get(wrapped, again, "dominant_class", 1)[0] in (*scheme("hilda8").codes, 255)
    for open_host in (host, again):
        assert wrapped.wrapped_close(open_host) == (0, "")


DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def test_the_wrapped_host_runs_day_by_day_and_shows_its_budget(
    wrapped: Any, results: dict[str, dict[str, np.ndarray]], experiment: Path, points: Points
) -> None:
    """The bits of the host's own loop over a year, with what it holds at any time."""
    by_day, by_year = (open_wrapped(wrapped, experiment, points) for _ in range(2))
    n = points.lon.size
    gain, loss = np.full(n, -7.0), np.full(n, -7.0)
    for year in (FIRST, FIRST + 1):
        for month, days in enumerate(DAYS, 1):
            for day in range(1, days + 1):
                assert wrapped.wrapped_run_day(by_day, year, month, day) == (0, "")
                if (month, day) == (1, 1):
                    assert wrapped.wrapped_get_change(by_day, "cropland", gain, loss) == (0, "")
        assert wrapped.wrapped_run_year(by_year, year) == (0, "")
    assert by_day.year == FIRST + 1
    epsilon = np.finfo(np.float32).eps
    for call in (wrapped.wrapped_results, wrapped.wrapped_stores, wrapped.wrapped_budget):
        found = [[np.full(n, -7.0), np.full(n, -7.0)] for _ in range(2)]
        for host, (one, other) in zip((by_day, by_year), found, strict=True):
            assert call(host, one, other) == (0, "")
        assert np.array_equal(found[0], found[1])
        assert call(by_day, np.empty(n + 1), np.empty(n))[0] == 1
    assert (np.array(found[0]) <= 4 * epsilon).all() and np.array(found[0]).any()
    shares = results["plain"]["area_fraction"][:2, NAMES.index("cropland")]
    assert (
        np.allclose(gain - loss, shares[1] - shares[0], atol=1e-12)
        and (gain >= 0).all()
        and (loss >= 0).all()
    )
    assert wrapped.wrapped_get_change(by_day, "cropland", gain, loss) == (0, "")
    assert not gain.any() and not loss.any(), "no year began in the last update"
    assert wrapped.wrapped_get_change(by_day, "tundra", gain, loss)[0] == 8
    for host in (by_day, by_year):
        assert wrapped.wrapped_close(host) == (0, "")


def test_the_wrapped_host_runs_alone_on_its_own_fractions(wrapped: Any, points: Points) -> None:
    n = points.lon.size
    fraction = np.asfortranarray(np.tile(np.arange(8) / 28, (n, 1)))
    totals = []
    for warming in (0.0, 4.0):
        host = wrapped.wrapped_host()
        wrapped.wrapped_settings(host, False, False, False, warming)
        wrapped.wrapped_fraction(host, fraction)
        empty = np.zeros((2, n), order="F")
        told = wrapped.wrapped_open(
            host, "none.toml", COVERS, points.lon, points.lat, False, empty, empty, FIRST, ""
        )
        assert told == (0, "")
        assert wrapped.wrapped_run_year(host, FIRST) == (0, "")
        temperature, latent_heat = np.empty(n), np.empty(n)
        assert wrapped.wrapped_results(host, temperature, latent_heat) == (0, "")
        totals.append(temperature)
        assert (host.updates, wrapped.wrapped_close(host)) == (0, (0, ""))
    warmer = totals[1] - totals[0]
    assert (warmer > 2).all() and (warmer < 4).all()
