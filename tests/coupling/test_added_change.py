"""What a host adds to its own values: in the reference year nothing, to the last byte."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from landstep.coupling.added_change import added
from landstep.coupling.coupler import Coupler
from landstep.coupling.fields import Field
from landstep.emulator.errors import CouplingError, StepError

FIRST = 2015
KINDS = [np.float32, np.float64]
LEAVES = np.arange(12.0) / 4 + np.linspace(0.1, 1.1, 12)[:, None]
LIGHT = 0.1 + np.arange(12.0) / 100 + np.linspace(0.0, 0.3, 12)[:, None]
BASELINES = {
    "vegl": np.linspace(0.1, 0.4, 12),
    "vegh": np.linspace(0.55, 0.15, 12),
    "typel": np.full(12, 1.0),
    "typeh": np.full(12, 5.0),
    "lail": LEAVES,
    "alb12": LIGHT,
}
Coupled = Callable[..., Path]
Cells = dict[str, np.ndarray]


def opened(experiment: Path, cells: Cells, without: str = "") -> Coupler:
    coupler = Coupler.open(experiment, **cells, year=FIRST)
    assert isinstance(coupler, Coupler)
    for name, values in BASELINES.items():
        if name != without:
            coupler.baseline(name, values)
    return coupler


@pytest.fixture(scope="module")
def run(coupled: Coupled, cells: Cells) -> Coupler:
    """A run that has reached the summer of the year after the reference."""
    coupler = opened(coupled("added", mode="anomaly"), cells)
    for date in ((FIRST, 1, 1), (FIRST + 1, 7, 20)):
        coupler.update(*date)
    return coupler


def own_values(kind: type, n: int = 12) -> np.ndarray:
    """What only a host could have: -0.0, the smallest numbers, what is no number."""
    own = np.linspace(0.05, 0.9, n).astype(kind)
    own[:5] = -0.0, np.finfo(kind).smallest_subnormal, np.nan, np.inf, 7e3
    return own


@pytest.mark.parametrize("kind", KINDS)
def test_in_the_reference_year_no_byte_moves(coupled: Coupled, cells: Cells, kind: type) -> None:
    coupler = opened(coupled("reference", mode="anomaly"), cells)
    own = own_values(kind)
    for date in ((FIRST, 1, 1), (FIRST, 2, 27), (FIRST, 12, 31)):
        coupler.update(*date)
        for name in ("vegl", "vegh", "lail", "alb12"):
            found = coupler.add_change(name, own)
            assert found.dtype == kind and found.tobytes() == own.tobytes(), (name, date)
            assert found is not own


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["vegl", "lail", "alb12"])
def test_later_the_change_is_added_and_no_more(run: Coupler, name: str, kind: type) -> None:
    """The host's own rule may be any; the change goes by landstep's between the same months."""
    months = BASELINES[name]
    day = {"vegl": months, "lail": LEAVES[:, 6]}.get(name)
    if day is None:  # ecland's rule: 20 July is 5 of 31 days after the 15th
        day = LIGHT[:, 6] * (26 / 31) + LIGHT[:, 7] * (5 / 31)
    change = run.get(name) - day
    moved = np.abs(change) > 1e-9
    assert moved.any() and not moved.all()
    own = (day + np.linspace(0.01, 0.02, 12)).astype(kind)
    found = run.add_change(name, own)
    wanted = own.astype(np.float64) + change
    assert np.allclose(found[moved], wanted[moved], rtol=0, atol=4 * np.finfo(kind).eps)
    assert found[~moved].tobytes() == own[~moved].tobytes()
    assert found.dtype == kind


def test_a_host_that_has_the_baseline_itself_gets_the_field(run: Coupler) -> None:
    """To the bit: sums of covers stay what they must be."""
    for name in ("vegl", "vegh"):
        assert np.array_equal(run.add_change(name, BASELINES[name]), run.get(name))
    assert np.array_equal(run.add_change("lail", LEAVES[:, 6].copy()), run.get("lail"))


def test_bounds_hold_and_hold_only_where_something_moved() -> None:
    field = Field("cover", "", "1", "land", bounds=(0.0, 1.0))
    own, now = np.array([0.5, 0.5, 0.5, 0.5]), np.array([0.7, 0.1, 0.5, 0.9])
    values = np.array([0.9, 0.2, 1.5, np.nextafter(0.6, 0)], np.float32)
    found = added(field, values, np.arange(4), own, now)
    assert found.tolist() == [1.0, 0.0, 1.5, np.float32(np.float64(values[3]) + (0.9 - 0.5))]
    assert values[0] == np.float32(0.9), "the argument was edited"


def test_a_value_that_is_no_number_where_the_field_moved_is_refused(run: Coupler) -> None:
    moved = np.flatnonzero(run.get("vegl") != BASELINES["vegl"])
    own = BASELINES["vegl"].copy()
    own[moved[1]] = np.nan
    with pytest.raises(CouplingError, match=f"'vegl': nan at point {moved[1]}, expected a finite"):
        run.add_change("vegl", own)


def test_a_type_is_chosen_and_not_added_to(run: Coupler) -> None:
    with pytest.raises(CouplingError, match=r"'typeh' is a type.*call get\('typeh', values\)"):
        run.add_change("typeh", BASELINES["typeh"])


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.zeros(11), r"'vegl': array of shape \(11,\), expected \(12,\)"),
        (np.zeros((12, 12)), r"'vegl': array of shape \(12, 12\), expected \(12,\)"),
        (np.zeros(12, complex), "'vegl': complex128, expected numbers"),
    ],
)
def test_an_array_that_cannot_be_is_refused(run: Coupler, values: np.ndarray, words: str) -> None:
    with pytest.raises(CouplingError, match=words):
        run.add_change("vegl", values)
    whole = np.ones(12, np.int64)
    assert run.add_change("vegl", whole).dtype == np.float64


def test_what_was_not_given_has_no_change(coupled: Coupled, cells: Cells) -> None:
    early = opened(coupled("early", mode="anomaly"), cells, without="lail")
    with pytest.raises(StepError, match="'vegl': no fields yet"):
        early.add_change("vegl", np.zeros(12))
    with pytest.raises(StepError, match="'alb12': no fields yet"):
        early.get_monthly("alb12")
    early.update(FIRST, 1, 1)
    with pytest.raises(CouplingError, match="'lail' needs the host's own 'lail'"):
        early.add_change("lail", np.zeros(12))
    with pytest.raises(CouplingError, match="no field 'leaves'"):
        early.add_change("leaves", np.zeros(12))
    bare = Coupler.open(coupled("bare", host="classes"), **cells, year=FIRST)
    bare.update(FIRST, 1, 1)
    with pytest.raises(CouplingError, match="'area_fraction_forest': no baseline was given"):
        bare.add_change("area_fraction_forest", np.zeros(12))


def test_in_absolute_mode_only_monthly_maps_have_a_change(coupled: Coupled, cells: Cells) -> None:
    coupler = opened(coupled("absolute_change"), cells)
    coupler.update(FIRST + 1, 7, 1)
    own = LEAVES[:, 6].copy()
    assert np.array_equal(coupler.add_change("lail", own), coupler.get("lail"))
    with pytest.raises(CouplingError, match="'vegl': .*'absolute'.*call get"):
        coupler.add_change("vegl", BASELINES["vegl"])


def test_the_months_are_the_baselines_bits_and_then_what_get_goes_between(
    coupled: Coupled, cells: Cells
) -> None:
    coupler = opened(coupled("months", mode="anomaly"), cells)
    coupler.update(FIRST, 3, 4)
    for name in ("lail", "alb12"):
        assert coupler.get_monthly(name).tobytes() == BASELINES[name].tobytes()
    coupler.update(FIRST + 1, 3, 15)
    for name in ("lail", "alb12"):  # 15 March by both rules
        months = coupler.get_monthly(name)
        assert months.shape == (12, 12) and not np.array_equal(months, BASELINES[name])
        assert np.array_equal(months[:, 2], coupler.get(name))
        with pytest.raises(ValueError, match="read-only"):
            months[0, 0] = 1.0


def test_a_run_that_goes_on_adds_the_same_bytes(
    coupled: Coupled, cells: Cells, tmp_path: Path
) -> None:
    experiment = coupled("goes_on", mode="anomaly")
    whole = opened(experiment, cells)
    whole.update(FIRST, 9, 3)
    whole.write_restart(tmp_path / "restart.nc")
    again = Coupler.open(experiment, **cells, restart=tmp_path / "restart.nc")
    own = np.linspace(0.05, 0.9, 12).astype(np.float32)
    for date in ((FIRST, 9, 3), (FIRST + 1, 2, 9)):
        whole.update(*date)
        again.update(*date)
        for name in ("vegl", "lail", "alb12"):
            found = again.add_change(name, own).tobytes()
            assert found == whole.add_change(name, own).tobytes()
            assert (found == own.tobytes()) == (date[0] == FIRST)
        for name in ("lail", "alb12"):
            assert np.array_equal(again.get_monthly(name), whole.get_monthly(name))


def test_a_field_of_one_value_a_year_has_no_months(run: Coupler) -> None:
    for name in ("vegl", "typel"):
        with pytest.raises(CouplingError, match=f"'{name}' has one value a year.*call get"):
            run.get_monthly(name)
    with pytest.raises(CouplingError, match="no field 'leaves'"):
        run.get_monthly("leaves")
