"""Fractions that share a whole."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landstep.coupling.fields import SumGroup
from landstep.coupling.sums import moved, quantum, settled, with_whole


def group(n: int, total: float = 1.0, exact: bool = True, **options: object) -> SumGroup:
    return SumGroup(tuple("abcdefghijklmnopqrst"[:n]), total, exact, **options)


@pytest.mark.parametrize("total", [1.0, 100.0])
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 20))
def test_an_exact_sum_is_the_total_in_any_order(total: float, seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.random((5, n)) ** rng.integers(1, 20)
    values *= total / values.sum(axis=1, keepdims=True)
    found = settled(values, group(n, total))
    assert np.abs(found - values).max() <= n * quantum(total)
    for order in (np.arange(n), np.arange(n)[::-1], rng.permutation(n)):
        whole = np.zeros(5)
        for column in order:
            whole += found[:, column]
        assert (whole == total).all()


def test_plain_float64_fractions_miss_the_total() -> None:
    """The negative control: without rounding to quanta, order matters."""
    values = np.random.default_rng(1).random((200, 15))
    values *= 100 / values.sum(axis=1, keepdims=True)
    whole = np.zeros(200)
    for column in range(15):
        whole += values[:, column]
    assert (whole != 100).any()
    single = values.astype(np.float32).astype(np.float64)
    assert np.abs(single.sum(axis=1) - 100).max() > 1e-13


def test_a_sum_at_most_is_left_alone_below_the_total() -> None:
    values = np.array([[0.25, 0.5], [0.1, 0.1], [0.5, 0.5 + 2**-52]])
    found = settled(values, group(2, exact=False))
    assert np.abs(found - values).max() <= quantum(1.0)
    assert found[2].sum() == 1.0


def test_a_whole_field_is_all_or_nothing() -> None:
    values = np.array([[30.0, 10.0, 60.0], [60.0, 20.0, 20.0], [25.0, 25.0, 50.0]])
    found = with_whole(values, group(3, 100.0, whole="c"))
    assert found.tolist() == [[0, 0, 100], [75, 25, 0], [50, 50, 0]]
    assert with_whole(values, group(3, 100.0)) is values


def test_a_change_moves_the_sum_by_itself() -> None:
    own, change = np.array([[0.5, 0.2], [0.9, 0.1]]), np.array([[0.1, -0.1], [0.2, 0.1]])
    found = moved(own, change, group(2, exact=False))
    assert found[0] == pytest.approx([0.6, 0.1])
    assert found[1].sum() == 1.0, "0.9 + 0.1 + 0.3, clipped"
    assert found[1] == pytest.approx([1.0 / 1.2, 0.2 / 1.2])


def test_the_last_gives_way() -> None:
    own, change = np.array([[0.6, 0.3]]), np.array([[0.3, 0.2]])
    found = moved(own, change, group(2, exact=False, last_gives_way=True))
    assert found[0] == pytest.approx([0.9, 0.1])


@given(seed=st.integers(0, 2**32 - 1), exact=st.booleans(), last=st.booleans())
def test_moved_fractions_stay_in_bounds_and_sums_hold(seed: int, exact: bool, last: bool) -> None:
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.full(5, rng.choice([0.1, 1.0])), (3, 20))
    of = group(5, exact=exact, last_gives_way=last and not exact)
    found = moved(shares[0], shares[1] - shares[2], of)
    assert (found >= 0).all() and (found <= 1).all()
    assert (found.sum(axis=1) <= 1).all()
    if exact:
        assert (found.sum(axis=1) == 1).all()
    if not last:
        assert np.abs(found.sum(axis=1) - 1).max() < 1e-12, "the baseline's sum, and no change"
