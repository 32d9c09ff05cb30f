"""A host's own fields: which are needed, and what is refused."""

import numpy as np
import pytest

from landstep.coupling.anomaly import Anomaly
from landstep.coupling.baseline import (
    baseline_of,
    checked_baseline,
    own_albedo_sets,
    partners,
    require_baselines,
)
from landstep.coupling.crosswalk import Crosswalk
from landstep.coupling.fields import ClassFields, Field
from landstep.emulator.classes import scheme
from landstep.emulator.errors import CouplingError

FIELD = Field("vegl", "low vegetation", "1", "land", fill=0.25)
TYPE = Field("typel", "type", "1", "", rule="type", bounds=(0.0, 20.0))
LAND = np.array([True, True, False])


def test_a_field_needs_those_that_it_goes_with(small: Crosswalk) -> None:
    assert partners(small, "z0") == {"z0"}
    assert partners(small, "vegl") == {"vegl", "vegh"}
    assert partners(small, "lail") == {"lail", "typel", "vegl", "vegh"}


@pytest.mark.parametrize(
    ("names", "given", "mode", "albedo", "words"),
    [
        (["vegg"], [], "anomaly", "left", "no field 'vegg'"),
        (["z0"], [], "anomaly", "left", "'z0' needs the host's own 'z0': call baseline"),
        (["vegl"], ["vegl"], "anomaly", "left", "needs the host's own 'vegh'"),
        (["lail"], ["vegl", "vegh", "typel"], "absolute", "left", "needs the host's own 'lail'"),
        (["z0"], ["z0"], "anomaly", "required", "or set \\[coupling\\] albedo = 'left'"),
        (["z0"], [], "absolute", "required", "Call baseline_monthly\\('alb12', values\\)"),
        (["lail"], ["vegl", "vegh", "typel"], "anomaly", "left", "baseline_monthly\\('lail', val"),
    ],
)
def test_a_missing_baseline_is_named(small, names, given, mode, albedo, words) -> None:
    with pytest.raises(CouplingError, match=words):
        require_baselines(small, names, given, mode, albedo, own_albedo_sets(small))


@pytest.mark.parametrize(
    ("names", "given", "mode", "albedo"),
    [
        (["vegl", "z0"], [], "absolute", "left"),
        (["z0"], ["z0"], "anomaly", "left"),
        (["z0"], ["z0", "alb12"], "anomaly", "required"),
        (["lail"], ["vegl", "vegh", "typel", "lail", "alb12"], "absolute", "required"),
    ],
)
def test_enough_is_enough(small: Crosswalk, names, given, mode, albedo) -> None:
    require_baselines(small, names, given, mode, albedo, own_albedo_sets(small))


def test_absolute_mode_demands_no_albedo_that_it_makes_itself(small: Crosswalk) -> None:
    """SPEEDY's albedo is annual: landstep's own is handed out, and a baseline would be unused."""
    annual, monthly = ["z0"], ["alb12"]
    require_baselines(small, ["vegl"], [], "absolute", "required", [annual])
    with pytest.raises(CouplingError, match="Call baseline\\('z0', values\\) before"):
        require_baselines(small, ["vegl"], ["vegl", "vegh"], "anomaly", "required", [annual])
    with pytest.raises(CouplingError, match="Call baseline_monthly\\('alb12', values\\)"):
        require_baselines(small, ["vegl"], [], "absolute", "required", [monthly])


def test_a_host_without_a_table_keeps_no_albedo() -> None:
    assert own_albedo_sets(ClassFields(scheme("hilda8"))) == []


@pytest.mark.parametrize(
    ("field", "values", "words"),
    [
        (FIELD, np.zeros(2), "baseline 'vegl': shape \\(2,\\), expected \\(3,\\)"),
        (FIELD, np.zeros((3, 12)), "expected \\(3,\\)"),
        (FIELD, np.array(["a", "b", "c"]), "expected numbers"),
        (FIELD, np.array([0.5, np.nan, 0.0]), "nan at point 1, expected a finite number"),
        (FIELD, np.array([0.5, 87.0, 0.0]), "87 at point 1, expected 0.0 to 1.0 1"),
        (FIELD, np.array([-0.5, 0.0, 0.0]), "-0.5 at point 0"),
        (TYPE, np.array([3.0, 4.5, 0.0]), "4.5 at point 1, expected a whole number"),
    ],
)
def test_a_baseline_that_cannot_be_is_refused(field: Field, values, words: str) -> None:
    with pytest.raises(CouplingError, match=words):
        checked_baseline(field, values, LAND)


def test_a_monthly_baseline_names_the_month(small: Crosswalk) -> None:
    lail = next(field for field in small.fields if field.name == "lail")
    values = np.zeros((3, 12))
    values[1, 4] = np.inf
    with pytest.raises(CouplingError, match="inf at point 1, month 5"):
        checked_baseline(lail, values, LAND)


def test_what_a_host_does_not_care_for_at_sea_is_made_finite() -> None:
    values = np.array([0.1, 0.2, np.nan], np.float32)
    own = checked_baseline(FIELD, values, LAND)
    assert own.tolist() == [float(values[0]), float(values[1]), 0.25]
    assert own.dtype == np.float64 and not own.flags.writeable


def test_a_host_may_round() -> None:
    assert checked_baseline(FIELD, np.array([1.0000001, 0.0, 1e20]), LAND)[0] == 1.0000001


def test_a_baseline_that_was_never_given_is_named() -> None:
    with pytest.raises(CouplingError, match="no baseline of 'cvl'"):
        baseline_of({}, "cvl")


def test_a_baseline_that_is_no_field_is_refused(small: Crosswalk, areas_of) -> None:
    with pytest.raises(CouplingError, match="no field 'cvl'"):
        Anomaly.make(small, {"cvl": np.zeros(1)}, areas_of({}))


def test_a_masked_baseline_is_no_number_there() -> None:
    """Fault 25: what lies under the mask is not taken; where no land is it does not matter."""
    values = np.ma.array([0.5, 0.5, 0.5], mask=[False, True, False])
    with pytest.raises(CouplingError, match=r"nan at point 1, expected a finite number"):
        checked_baseline(FIELD, values, np.array([True, True, True]))
    own = checked_baseline(FIELD, values, np.array([True, False, True]))
    assert own.tolist() == [0.5, FIELD.fill, 0.5]
    with pytest.raises(CouplingError, match="expected an array"):
        checked_baseline(FIELD, [[0.5], [0.5, 0.5]], np.array([True, True]))
