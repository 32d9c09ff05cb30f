"""Details of a scored pair are those of the metrics, for every method, ready for JSON."""

import json

import numpy as np
import pytest

from landstep.evaluation.baselines import Neighbourhood, Persistence
from landstep.evaluation.details import details
from landstep.evaluation.methods import ByOdds
from landstep.evaluation.metrics import confusion, disagreement, transitions
from landstep.evaluation.pairs import score_pair
from landstep.evaluation.place import rule_of
from landstep.evaluation.probability import EDGES


@pytest.fixture
def scored(case):
    def odds(case, before, after):
        rng = np.random.default_rng(1)
        return rng.normal(0, 1, (9, *case.shape)).astype(np.float32)

    model = ByOdds("model", odds, rule_of(case.scheme, 1, "soft"))
    return score_pair(case, 2004, 2007, [model, Neighbourhood(), Persistence()])


def test_details_are_those_of_the_metrics(case, scored):
    found = details(case, scored, transitions_listed=4)
    json.dumps(found, allow_nan=False)
    assert set(found) == {"model", "neighbourhood", "persistence"}
    prior, truth, mask = case.maps[2004], case.maps[2007], scored.counted
    for name, entry in found.items():
        land_use = scored.predictions[name].land_use
        assert entry["disagreement"] == vars(disagreement(confusion(land_use, truth, mask, 9)))
        moves = transitions(prior, land_use, truth, mask, 9)[:4]
        assert [m["true"] for m in entry["transitions"]] == [m.true for m in moves]
        assert entry["transitions"][0]["from"] == case.scheme.names[moves[0].before]
        assert set(entry["area_error_km2"]) >= set(entry["classes"])


def test_reliability_counts_every_cell_that_could_change(case, scored):
    found = details(case, scored)
    assert "reliability" not in found["neighbourhood"]
    curves = found["model"]["reliability"]
    assert sum(curves["change"]["cells"]) == scored.cells
    not_yet = scored.counted & (case.maps[2004] != 3)
    assert sum(curves["pasture"]["cells"]) == not_yet.sum()


def test_a_bin_is_named_by_its_lower_end(case, scored):
    curve = details(case, scored)["model"]["reliability"]["change"]
    ends = {**dict(zip(EDGES, EDGES[1:], strict=False))}
    assert len(curve["at_least"]) == len(curve["cells"]) == len(curve["probability"]) > 2
    for least, said in zip(curve["at_least"], curve["probability"], strict=True):
        assert least <= said <= ends[least]
