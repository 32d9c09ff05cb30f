"""The long table: transitions, bins of probability, and what the quantities of each row were."""

import csv
import io

import pytest

from landstep.evaluation.scores_csv import scores_csv

CURVE = {
    "error": 0.02,
    "at_least": [0.0, 0.05],
    "cells": [90, 10],
    "probability": [0.004, 0.07],
    "frequency": [0.01, 0.1],
}
MOVE = {"from": "forest", "to": "pasture", "true": 7, "predicted": 5, "hits": 3, "fom": 1 / 3}
QUANTITY = {
    "method": "model",
    "kind": "bias",
    "levels": [0.0, 0.5],
    "fom": [0.3, 0.2],
    "accuracy": [0.9, 0.8],
    "mean_iou": [0.7, 0.6],
    "below_persistence": {"accuracy": 0.25, "mean_iou": None},
}
RUN = {"start": 2001, "years": 2, "quotas": "exact", "yearly_change": [0.1, 0.2]}
METHOD = {
    "classes": {"forest": {"iou": 0.5}},
    "disagreement": {"quantity": 0.1},
    "area_error_km2": {"forest": {"median": 2.0}},
    "transitions": [MOVE],
    "reliability": {"change": CURVE},
}


def rows(known, **results):
    text = scores_csv({"about": {"known_quantities": known}, **results})
    found = csv.DictReader(io.StringIO(text))
    return {(r["part"], r["method"], r["quantity"]): (r["value"], r["quantities"]) for r in found}


def test_transitions_and_reliability_are_parts_of_their_own():
    without = {key: value for key, value in METHOD.items() if key != "reliability"}
    pair = {"from": 2001, "to": 2002, "methods": {"model": METHOD, "still": without}}
    found = rows(True, details=[pair])
    for kind, value in (("true", 7), ("predicted", 5), ("hits", 3), ("fom", 1 / 3)):
        said, quantities = found["transitions", "model", f"forest to pasture.{kind}"]
        assert float(said) == value and quantities == "known"
    said = {key[2]: float(value[0]) for key, value in found.items() if key[0] == "reliability"}
    assert said == {
        "change.error": 0.02,
        "change.0.cells": 90,
        "change.0.probability": 0.004,
        "change.0.frequency": 0.01,
        "change.0.05.cells": 10,
        "change.0.05.probability": 0.07,
        "change.0.05.frequency": 0.1,
    }
    assert found["details", "still", "classes.forest.iou"] == ("0.5", "known")


@pytest.mark.parametrize(("known", "given"), [(True, "known"), (False, "forecast")])
def test_every_row_says_what_the_quantities_were(known, given):
    found = rows(
        known,
        pairs=[{"from": 2001, "to": 2002, "caution": "none", "model": {"fom": 0.3}}],
        quantity_error={"from": 2001, "to": 2002, "curves": [QUANTITY]},
        free_run={"forced": RUN, "constant": RUN, "constant_none": RUN, "truth": RUN},
    )
    said = {key[1:]: quantities for key, (_, quantities) in found.items()}
    assert said["model", "fom"] == said["model", "bias 0.fom"] == given
    assert said["model", "bias 0.5.mean_iou"] == "wrong"
    assert said["model", "bias.below_persistence.accuracy"] == "wrong"
    assert ("model", "bias.below_persistence.mean_iou") not in said  # it never is
    assert {name: said[name, "yearly_change.1"] for name in ("forced", "truth")} == {
        "forced": given,
        "truth": "",
    }
    assert said["constant", "yearly_change.0"] == said["constant_none", "yearly_change.0"]
    assert said["constant", "yearly_change.0"] == "constant"


def test_infill_and_maps_keep_every_number():
    infill = {"method": "model", "hidden_share": 0.5, "error_hidden": 0.25, "error_seen": None}
    whole = {"row": "year 0", "year": 2002, "mean_iou": 0.5, "classes": {"forest": {"iou": 0.4}}}
    found = rows(
        True,
        infill={"from": 2001, "to": 2002, "rows": [infill | {"mean_iou_land": 0.75}]},
        maps={"from": 2001, "rows": [whole]},
    )
    assert {key[1:]: value for key, (value, _) in found.items()} == {
        ("model", "hidden 0.5.error_hidden"): "0.25",
        ("model", "hidden 0.5.mean_iou_land"): "0.75",
        ("year 0", "mean_iou"): "0.5",
        ("year 0", "classes.forest.iou"): "0.4",
    }
