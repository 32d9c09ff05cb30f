"""What a host allocates by: the largest values of the years to come, before any is handed out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from landstep.coupling.coupler import Coupler
from landstep.emulator.errors import CouplingError, InputError, StepError

FIRST, LAST = 2015, 2017
OWN = {"vegl": np.linspace(0.1, 0.4, 12), "vegh": np.linspace(0.55, 0.15, 12)}
Coupled = Callable[..., Path]
Cells = dict[str, np.ndarray]


def opened(experiment: Path, cells: Cells) -> Coupler:
    coupler = Coupler.open(experiment, **cells, year=FIRST)
    assert isinstance(coupler, Coupler)
    for name, values in OWN.items():
        coupler.baseline(name, values)
    return coupler


@pytest.fixture(scope="module", params=["anomaly", "absolute"])
def asked(request: pytest.FixtureRequest, coupled: Coupled, cells: Cells) -> dict[str, np.ndarray]:
    """What a run that asked first was told, and what it then had in each year."""
    coupler = opened(coupled(f"largest_{request.param}", mode=request.param), cells)
    found = {f"largest_{name}": coupler.get_maximum(name, LAST) for name in OWN}
    for year in range(FIRST, LAST + 1):
        coupler.update(year, 1, 1)
        found |= {f"{name}_{year}": coupler.get(name) for name in OWN}
    return found


def test_it_is_the_largest_of_what_is_handed_out(asked: dict[str, np.ndarray]) -> None:
    for name in OWN:
        years = np.stack([asked[f"{name}_{year}"] for year in range(FIRST, LAST + 1)])
        assert np.array_equal(asked[f"largest_{name}"], years.max(axis=0))
        assert (years.argmax(axis=0) > 0).any() and (years.argmax(axis=0) < 2).any()


def test_asking_changes_no_field(
    asked: dict[str, np.ndarray], coupled: Coupled, cells: Cells
) -> None:
    coupler = opened(coupled("not_asked", mode="anomaly"), cells)
    coupler.update(FIRST, 1, 1)
    if np.array_equal(coupler.get("vegh"), asked[f"vegh_{FIRST}"]):  # of the two modes, anomaly
        coupler.update(FIRST + 1, 1, 1)
        assert np.array_equal(coupler.get("vegh"), asked[f"vegh_{FIRST + 1}"])


def test_the_years_are_computed_once_for_all_fields(
    coupled: Coupled, cells: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    coupler = opened(coupled("once", mode="anomaly"), cells)
    steps = []
    whole = type(coupler._emulator).step
    monkeypatch.setattr(
        type(coupler._emulator), "step", lambda *a, **k: steps.append(a[1]) or whole(*a, **k)
    )
    first = coupler.get_maximum("vegl", FIRST + 1)
    coupler.get_maximum("vegh", FIRST + 1)
    assert steps == [FIRST + 1]
    coupler.baseline("vegl", OWN["vegl"] / 2)  # which counts from now on
    later = coupler.get_maximum("vegl", FIRST + 1)
    assert steps == [FIRST + 1] * 2 and not np.array_equal(first, later)
    coupler.update(FIRST, 1, 1)
    assert np.array_equal(coupler.get("vegl"), OWN["vegl"] / 2)


def test_what_has_no_largest_value_is_refused_in_words(coupled: Coupled, cells: Cells) -> None:
    coupler = opened(coupled("refused_largest", mode="anomaly"), cells)
    for name, words in (
        ("typeh", "'typeh' is a type"),
        ("lail", "'lail' is a monthly field"),
        ("tree", "no field 'tree'"),
        ("z0", "'z0' needs the host's own 'z0'"),
    ):
        with pytest.raises(CouplingError, match=words):
            coupler.get_maximum(name, FIRST)
    with pytest.raises(StepError, match=f"last year {FIRST - 1}, expected {FIRST}"):
        coupler.get_maximum("vegl", FIRST - 1)
    with pytest.raises(InputError, match="2400"):
        coupler.get_maximum("vegl", 2400)
    coupler.update(FIRST, 1, 1)
    with pytest.raises(StepError, match="'vegl': fields were handed out"):
        coupler.get_maximum("vegl", FIRST + 1)


def test_where_landstep_only_observes_it_is_the_hosts_own(
    coupled: Coupled, cells: Cells, tmp_path: Path
) -> None:
    coupler = opened(coupled("seen_largest", mode="anomaly", observe=str(tmp_path)), cells)
    assert np.array_equal(coupler.get_maximum("vegl", 2018), OWN["vegl"])
