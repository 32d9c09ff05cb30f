"""The gate: figures by hand, every limit fires, and a model without a pass does not open."""

import numpy as np
import pytest

from landstep.emulator.card import Card, DriftFigures, Gate, StepFigures
from landstep.emulator.errors import ModelError
from landstep.emulator.grid import Grid
from landstep.emulator.precision_gate import (
    broken_limits,
    drift_figures,
    gate_for,
    moved,
    refuse_ungated,
    step_figures,
)
from landstep.emulator.session import Session

GOOD_STEP = StepFigures(year=1991, agreement=0.9999, changed=0.002)
GOOD_DRIFT = DriftFigures(year=2090, agreement=0.97, changed=0.1, area_difference=0.0002)


def maps():
    """Three maps of 3 x 4 cells: before, fp32's, the other's; land is all but the first row."""
    before = np.array([[0, 0, 0, 0], [1, 1, 2, 2], [3, 3, 3, 3]], np.uint8)
    fp32 = np.array([[0, 0, 0, 0], [1, 2, 2, 2], [3, 3, 1, 3]], np.uint8)
    other = np.array([[7, 0, 0, 0], [2, 1, 2, 2], [3, 3, 1, 3]], np.uint8)
    land = np.ones((3, 4), bool)
    land[0] = False
    return before, fp32, other, land


def test_a_step_is_held_against_what_changed():
    """Two of eight land cells change; the other changes one of them, and another instead."""
    before, fp32, other, land = maps()
    figures = step_figures(1991, other, fp32, before, land)
    assert figures == StepFigures(year=1991, agreement=6 / 8, changed=2 / 8)
    assert moved(figures) == 1


def test_a_drift_tells_the_class_whose_area_differs_most():
    """At the same areas, cells that change places leave no difference; one more cell does."""
    before, fp32, other, land = maps()
    grid = Grid.regular(np.array([1.0, 0.0, -1.0]), np.arange(4.0), "here")
    assert drift_figures(2000, other, fp32, before, land, grid).area_difference == 0
    other[2, 0] = 2
    found = drift_figures(2000, other, fp32, before, land, grid)
    area = np.cos(np.deg2rad([0.0, -1.0]))
    assert found.area_difference == pytest.approx(area[1] / (4 * area.sum()), rel=1e-6)
    assert (found.agreement, found.changed) == (5 / 8, 2 / 8)


def test_where_nothing_changes_agreement_says_nothing():
    still = StepFigures(year=1, agreement=1, changed=0)
    assert moved(still) == 0
    assert moved(still.model_copy(update={"agreement": 0.9})) == np.inf
    assert broken_limits([still.model_copy(update={"agreement": 0.9999})], [GOOD_DRIFT], 100)


def test_a_hundred_years_within_the_limits_pass():
    assert broken_limits([GOOD_STEP, GOOD_STEP], [GOOD_DRIFT], 100) == []


@pytest.mark.parametrize(
    ("step", "drift", "years", "words"),
    [
        ({}, {}, 99, "a run of 99 years, a pass needs 100"),
        ({"agreement": 0.9989, "changed": 0.1}, {}, 100,
         "one step agrees on 0.998900 of land cells, expected 0.999 or more"),
        ({"changed": 0.0009}, {}, 100, "0.111 of the cells that a step changes differ"),
        ({}, {"area_difference": 0.0011}, 100, "area differs by 0.001100 of the land at the end"),
        ({}, {"changed": 0.05}, 100, "0.600 of the cells that the run changed differ at the end"),
    ],
)  # fmt: skip
def test_each_limit_bites_alone(step, drift, years, words):
    """One bad step among good ones is enough."""
    steps = [GOOD_STEP, GOOD_STEP.model_copy(update=step), GOOD_STEP]
    broken = broken_limits(steps, [GOOD_DRIFT, GOOD_DRIFT.model_copy(update=drift)], years)
    assert len(broken) == 1 and words in broken[0]


def test_what_drifts_on_the_way_and_comes_back_passes():
    """The end counts; the figures of the way stay in the record."""
    far = GOOD_DRIFT.model_copy(update={"area_difference": 0.01})
    assert broken_limits([GOOD_STEP], [far, GOOD_DRIFT], 100) == []


def gate(**changes):
    values = {
        "provider": "openvino", "precision": "bf16", "runs_on": {"onnxruntime": "1.24.1"},
        "reference_model": "f" * 64, "experiment": "made up", "years": (1990, 2090),
        "reproduced": 1.0, "steps": [GOOD_STEP], "drift": [GOOD_DRIFT], "passed": True,
        "date": "2026-11-26",
    }  # fmt: skip
    return Gate(**(values | changes))


@pytest.fixture
def card(tiny_model):
    return Session.open(tiny_model).card


def test_a_record_goes_into_the_card_and_back(card):
    """An older card of the same version has none."""
    kept = card.model_copy(update={"gates": [gate(failed=["x"])]})
    assert Card.from_metadata(kept.to_metadata(), "m.onnx") == kept
    assert card.gates == [] and kept.card_version == card.card_version
    old = card.model_dump_json(exclude={"gates"})
    assert Card.model_validate_json(old) == card
    assert kept.gates[0].one_step_agreement == GOOD_STEP.agreement


def test_the_record_of_the_pair_counts(card):
    """Each provider and precision has its own."""
    passed, failed = gate(), gate(precision="fp32", passed=False, failed=["too far"])
    card = card.model_copy(update={"gates": [failed, passed]})
    assert gate_for(card, "openvino", "bf16") == passed and gate_for(card, "cuda", "fp32") is None
    refuse_ungated(card, "openvino", "bf16", "m.onnx")
    with pytest.raises(ModelError, match=r"m.onnx: .*did not pass on openvino in fp32.*: too far"):
        refuse_ungated(card, "openvino", "fp32", "m.onnx")


def test_a_model_that_was_not_verified_does_not_open(tiny_model):
    """Before anything is asked of onnxruntime; it says how to verify."""
    for precision in ("fp32", "bf16"):
        words = f"not verified on openvino in {precision}; run landstep verify EXPERIMENT --refer"
        with pytest.raises(ModelError, match=words):
            Session.open(tiny_model, "openvino", precision=precision)
