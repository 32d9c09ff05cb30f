"""The short form of benchmarks/real_sweden.py: train a little, step in Python and in Fortran."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.slow

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "real_sweden.py"


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    """The benchmark as a module."""
    spec = importlib.util.spec_from_file_location("real_sweden", BENCHMARK)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def report(
    benchmark: ModuleType, real_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What the short form gives."""
    result = benchmark.run(real_data, tmp_path_factory.mktemp("sweden"), short=True)
    assert isinstance(result, dict)
    return result


def test_python_and_both_fortran_hosts_have_the_same_maps(report: dict[str, Any]) -> None:
    assert report["years"] == [1999, 2009]
    assert report["changed_cells"] > 0, "maps that stay as they are would be a weak comparison"
    assert report["identical"] == {"Fortran program": True, "f90wrap": True}


def test_persistence_scores_equal_those_counted_on_the_file(
    report: dict[str, Any], real_data: Path
) -> None:
    (path,) = real_data.glob("sweden/hildaplus_south_sweden_*.npz")
    with np.load(path) as arrays:
        codes, years = arrays["codes"], arrays["years"].tolist()
    land = (codes > 0).all(axis=0)
    assert report["land_cells"] == land.sum()
    prior = codes[years.index(1999)][land]
    assert [row["years"] for row in report["scores"]] == [1, 10]
    for row in report["scores"]:
        truth = codes[years.index(row["target"])][land]
        shares = [
            np.sum((prior == k) & (truth == k)) / np.sum((prior == k) | (truth == k))
            for k in (1, 2, 3, 4)
        ]
        stays = row["persistence"]
        assert stays["accuracy"] == pytest.approx(np.mean(prior == truth), abs=1e-12)
        assert stays["mean_iou"] == pytest.approx(np.mean(shares), abs=1e-12)
        assert stays["figure_of_merit"] == 0
        assert stays["misses"] == np.sum(prior != truth)


def test_scores_are_printed_with_what_they_rest_on(
    benchmark: ModuleType, report: dict[str, Any]
) -> None:
    assert report["quantities"] == "known"
    assert report["training"]["cpu_seconds"] > 0
    text = benchmark.table(report)
    assert "Known quantities" in text and "upper bound" in text
    assert "carries no claim" in text
    assert "persistence" in text
    assert text.count("  identical") == 2
    assert f"training: {report['training']['cpu_seconds']:.0f} s of cpu" in text


def test_a_host_with_another_map_is_not_called_identical(benchmark: ModuleType) -> None:
    maps = {2000: np.array([[1, 2], [3, 4]], np.uint8), 2009: np.array([[1, 2], [3, 3]], np.uint8)}
    cells = np.array([1, 3])
    points = {2000: np.array([2.0, 4.0]), 2009: np.array([2.0, 3.0])}
    same = benchmark.HostMaps(cells, points, maps[2009])
    assert benchmark.same_maps(maps, same)
    assert not benchmark.same_maps(maps, benchmark.HostMaps(cells, points, maps[2000]))
    assert not benchmark.same_maps(maps, benchmark.HostMaps(cells[::-1], points, maps[2009]))
    fewer = {2009: points[2009]}
    assert not benchmark.same_maps(maps, benchmark.HostMaps(cells, fewer, maps[2009]))


def test_a_wrong_folder_ends_with_a_message(
    benchmark: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert benchmark.main(["--data", str(tmp_path)]) == 4
    assert "sweden/hildaplus_south_sweden_*.npz" in capsys.readouterr().err
