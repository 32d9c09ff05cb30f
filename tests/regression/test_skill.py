"""The skill benchmark on the real Swedish maps, hardly trained: what it writes is right."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from landstep.emulator.errors import ConfigError
from landstep.emulator.scores import accuracy, figure_of_merit

FILE = Path(__file__).resolve().parents[2] / "benchmarks" / "skill.py"
NAMES = {
    "fom",
    "fom_first",
    "fom_return",
    "hits",
    "misses",
    "wrong_hits",
    "false_alarms",
    "accuracy",
    "mean_iou",
    "iou",
    "brier_skill",
    "count_error",
    "first_ratio_low",
}
METHODS = {
    "model",
    "model_exact",
    "model_rolled",
    "persistence",
    "random",
    "neighbourhood",
    "history_table",
    "boosting",
    "boosting_deep",
}


@pytest.fixture(scope="module")
def skill():
    """Give the benchmark as a module."""
    spec = importlib.util.spec_from_file_location("skill", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_is_written_can_be_scored_again(skill, real_data, tmp_path, capsys):
    """Every method has every number, and the kept map gives the numbers that stand beside it."""
    out, maps = tmp_path / "out.json", tmp_path / "maps.npz"
    arguments = ["sweden", "--data", str(real_data), "--train-until", "1999"]
    arguments += ["--pairs", "1999:2009", "--steps", "2", "--trees", "2"]
    assert skill.main([*arguments, "--json", str(out), "--maps", str(maps)]) == 0
    printed = capsys.readouterr().out
    assert "upper bound" in printed and "lag of 1 carries no claim" in printed
    result = json.loads(out.read_text())
    (pair,) = result["pairs"]
    assert (pair["from"], pair["to"]) == (1999, 2009)
    for method in METHODS:
        assert pair[method].keys() >= NAMES
    series = np.load(next(real_data.glob("sweden/hildaplus_south_sweden_*.npz")))
    codes, first = series["codes"], int(series["years"][0])
    land = ~(codes == 0).any(axis=0)
    prior, truth = codes[1999 - first], codes[2009 - first]
    with np.load(maps) as kept:
        assert set(kept.files) == {
            f"{name}_1999_2009" for name in ("model", "model_exact", "model_rolled")
        }
        for name in kept.files:
            found, scores = kept[name], pair[name.removesuffix("_1999_2009")]
            merit = figure_of_merit(prior, found, truth, land)
            assert scores["fom"] == pytest.approx(merit.value)
            assert scores["hits"] == merit.hits and scores["misses"] == merit.misses
            assert scores["accuracy_cells"] == pytest.approx(accuracy(found, truth, land))
    assert pair["changed"] == pytest.approx((prior != truth)[land].mean())


def test_pairs_of_both_ways_in_time_are_refused(skill):
    maps = dict.fromkeys(range(1975, 2010))
    case = type("Case", (), {"maps": maps})()
    assert skill.learned_years("sweden", case, 1999, [(1999, 2009)]) == (1975, 1999)
    assert skill.learned_years("sweden", case, 1995, [(1995, 1985)]) == (1995, 2009)
    with pytest.raises(ConfigError, match="all forward or all backward"):
        skill.learned_years("sweden", case, 1999, [(1999, 2009), (1999, 1989)])
