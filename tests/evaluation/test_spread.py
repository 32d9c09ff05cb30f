"""Spread of scores over seeds, by hand."""

import pytest

from landstep.emulator.errors import InputError
from landstep.evaluation.spread import spread


def run(fom, **more):
    return {"from": 1, "to": 2, "changed": 0.1, "model": {"fom": fom, "iou": {"a": 1}, **more}}


def test_mean_and_sample_deviation_by_hand():
    found = spread([run(0.1), run(0.2), run(0.6)])["model"]["fom"]
    assert found["mean"] == pytest.approx(0.3)
    assert found["sd"] == pytest.approx(0.07**0.5)  # (.04 + .01 + .09) / 2
    assert (found["lowest"], found["highest"]) == (0.1, 0.6)


def test_one_run_has_no_deviation_and_missing_numbers_are_left_out():
    assert spread([run(0.1)])["model"]["fom"]["sd"] == 0
    found = spread([run(0.1, first_ratio=None), run(0.2, first_ratio=1.5)])["model"]
    assert found["first_ratio"]["mean"] == 1.5
    assert "iou" not in found


def test_runs_that_cannot_be_summed_up_are_refused():
    with pytest.raises(InputError, match="0 runs"):
        spread([])
    with pytest.raises(InputError, match="expected one pair"):
        spread([run(0.1), run(0.1) | {"to": 3}])
    with pytest.raises(InputError, match="the same methods"):
        spread([run(0.1), run(0.1) | {"random": {"fom": 0.1}}])
