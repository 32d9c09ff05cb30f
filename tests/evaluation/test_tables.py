"""Tables of scores, by hand."""

from landstep.evaluation.tables import (
    cautions,
    classes_table,
    gains_table,
    infill_table,
    quantity_table,
    runs_table,
    withheld_table,
)

PAIR = {
    "from": 2000,
    "to": 2001,
    "history_table": {"brier_skill": 0.0, "fom": 0.1, "fom_first": 0.05},
    "persistence": {"brier_skill": -0.5, "brier_skill_interval": [None, -0.25]},
    "model_exact": {
        "fom": 0.2,
        "fom_first": 0.1,
        "accuracy_gain": 0.00125,
        "accuracy_gain_interval": [-0.0005, 0.003],
        "mean_iou_gain": -0.01,
        "mean_iou_gain_interval": [-0.02, 0.0],
        "brier_skill": 0.25,
        "brier_skill_interval": [0.125, 0.5],
    },
}


def test_gains_are_signed_and_stand_with_their_intervals():
    rows = {row[0]: row[1:] for row in gains_table(PAIR).rows}
    assert rows["model exact"] == [
        "+0.0013 (-0.0005 to +0.0030)",
        "-0.0100 (-0.0200 to +0.0000)",
        "+0.2500 (+0.1250 to +0.5000)",
    ]
    assert rows["persistence"] == ["\u2013", "\u2013", "-0.5000 (\u2013 to -0.2500)"]
    assert rows["history table"] == ["\u2013"] * 3  # it is what skill is counted over


def test_cautions_are_said_once_with_the_years_they_hold_for():
    entries = [
        {"from": 2000, "to": 2001, "caution": "no claim."},
        {"from": 2000, "to": 2005},
        {"from": 2003, "to": 2004, "caution": "no claim."},
        {"from": 2003, "caution": "no claim."},
    ]
    assert cautions(*entries) == ["2000 to 2001, 2003 to 2004: no claim."]
    assert cautions(entries[1]) == []


def test_classes_stand_beside_persistence():
    scores = {"recall": 0.9, "precision": 0.8, "f1": 0.85, "iou": 0.74}
    still = {"recall": 0.7, "precision": 0.6, "f1": 0.65, "iou": 0.48}
    methods = {
        "model": {"classes": {"other_land": scores}},
        "persistence": {"classes": {"other_land": still}},
    }
    of = classes_table(methods, "model")
    assert of.rows == [["other land", 0.9, 0.8, 0.85, 0.74, 0.7, 0.65, 0.48]]
    assert len(of.head) == 8 and of.head[5] == "persistence accuracy"


def test_scores_without_the_year_before_stand_beside_those_with_it():
    blind = {"from": 2000, "to": 2001, "model_exact": {"fom": 0.15, "fom_first": 0.1}}
    assert withheld_table([PAIR], [blind]).rows == [["model exact  2000:2001", 0.2, 0.15, 0.1, 0.1]]


def test_a_crossing_that_never_comes_is_never():
    below = {"accuracy": 0.375, "mean_iou": None}
    curve = {"method": "model", "kind": "bias", "levels": [0.0, 0.5], "fom": [0.3, 0.2]}
    of = quantity_table([curve | {"below_persistence": below}])
    assert of.rows == [["model", "bias", 0.3, 0.2, "38 %", "never"]]
    assert of.head[2:4] == ("figure of merit at 0 %", "at 50 %")


def test_infill_is_shown_share_by_share():
    row = {"error_hidden": 0.4, "error_seen": None, "mean_iou_hidden": 0.3, "mean_iou": 0.5}
    rows = [{"method": "model", "hidden_share": share, **row} for share in (0.5, 1.0)]
    of = infill_table(rows, 0.5)
    assert of.head[0] == "50 % hidden"
    assert of.rows == [["model", 0.4, None, 0.3, 0.5, None]]


def test_the_mean_patch_is_over_all_classes():
    end = {"a": {"patches": 3, "mean": 2.0}, "b": {"patches": 1, "mean": 10.0}}
    run = {"years": 2, "changed_at_end": 0.1, "patches": {"end": end}}
    of = runs_table({"constant_none": run | {"quotas": "none"}, "truth": run})
    assert of.rows[0] == ["constant forcing, no quotas", "none", 2, 0.1, None, 4.0]
    assert of.rows[1][:2] == ["truth", None]
