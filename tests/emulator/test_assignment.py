"""The best slots against a linear program and every map there is."""

from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from landstep.emulator.assignment import HARD, NEVER, best_slots, improve

CASES = st.tuples(st.integers(0, 10**9), st.integers(1, 5), st.integers(1, 24), st.integers(1, 4))


def problem(seed, n_slots, n_cells, n_blocks):
    """Draw utilities, targets and prices: some slots not allowed, some priced hard, the last free.

    Every cell may be in one slot at least.
    """
    rng = np.random.default_rng(seed)
    shape = (n_slots, n_blocks, n_cells)
    steps = rng.choice([2, 8, 2**20])
    utility = np.rint(rng.uniform(-1, 1, shape) * steps) / steps
    utility[rng.random(shape) < rng.choice([0, 0.5])] = NEVER
    home = rng.integers(0, n_slots, shape[1:])
    np.put_along_axis(utility, home[None], 0.0, axis=0)
    target = rng.integers(-32, 64 * n_cells + 32, (n_slots, n_blocks)) / 64
    price = rng.choice([0.0, 0.25, 1.0, HARD], (n_slots, n_blocks))
    price[-1] = 0
    return utility, target, price


def worth(utility, target, price, slot):
    """Sum of a block's utilities less its priced misses."""
    count = np.bincount(slot, minlength=len(utility))
    return utility[slot, np.arange(slot.size)].sum() - (price * np.abs(count - target)).sum()


def most(utility, target, price):
    """Give the optimum of one block by linear programming.

    Variables: a cell's share of each slot, and each slot's shortfall and excess. The program is a
    flow with whole capacities once a target is whole; a target between two numbers is convex in the
    count, so it stands as the shortfall below, the part between, and the excess above.
    """
    n_slots, n_cells = utility.shape
    low = np.floor(target)
    part = target - low
    flat = n_slots * n_cells
    cost = np.concatenate([-utility.T.ravel(), price, price * (1 - 2 * part), price])
    balance = np.zeros((n_slots, cost.size))
    for s in range(n_slots):
        balance[s, s:flat:n_slots] = 1
        balance[s, flat + s] = 1
        balance[s, flat + n_slots + s] = -1
        balance[s, flat + 2 * n_slots + s] = -1
    whole = np.kron(np.eye(n_cells), np.ones(n_slots))
    whole = np.hstack([whole, np.zeros((n_cells, 3 * n_slots))])
    bounds = [(0, 1)] * flat + [(0, None)] * n_slots + [(0, 1)] * n_slots + [(0, None)] * n_slots
    found = linprog(
        cost, A_eq=np.vstack([balance, whole]), b_eq=np.r_[low, np.ones(n_cells)], bounds=bounds
    )
    return -found.fun - (price * part).sum()


@settings(max_examples=60)
@given(CASES)
def test_the_sum_is_that_of_a_linear_program(case):
    utility, target, price = problem(*case)
    slot = best_slots(utility, target, price)
    for b in range(slot.shape[0]):
        found = worth(utility[:, b], target[:, b], price[:, b], slot[b])
        best = most(utility[:, b], target[:, b], price[:, b])
        assert abs(found - best) <= 1e-6 * max(1, abs(best))


@settings(max_examples=60)
@given(CASES.map(lambda c: (c[0], min(c[1], 3), min(c[2], 6), c[3])))
def test_the_sum_is_the_largest_of_all_maps(case):
    utility, target, price = problem(*case)
    slot = best_slots(utility, target, price)
    for b in range(slot.shape[0]):
        block = utility[:, b], target[:, b], price[:, b]
        maps = product(range(len(utility)), repeat=slot.shape[1])
        best = max(worth(*block, np.array(m)) for m in maps)
        assert worth(*block, slot[b]) == best


@settings(max_examples=60)
@given(CASES)
def test_paths_alone_reach_the_same_sum(case):
    utility, target, price = problem(*case)
    slot = best_slots(utility, target, price)
    walked = improve(utility, target, price, utility.argmax(axis=0))
    for b in range(slot.shape[0]):
        block = utility[:, b], target[:, b], price[:, b]
        assert worth(*block, walked[b]) == worth(*block, slot[b])


@settings(max_examples=30)
@given(CASES)
def test_a_block_is_settled_alike_in_any_company(case):
    utility, target, price = problem(*case)
    slot = best_slots(utility, target, price)
    for b in range(slot.shape[0]):
        alone = best_slots(utility[:, b : b + 1], target[:, b : b + 1], price[:, b : b + 1])
        np.testing.assert_array_equal(alone[0], slot[b])


def test_a_path_through_a_third_slot_is_found():
    # cell 0 may only leave slot 0 for 1, cell 1 only slot 1 for 2; slot 0 must lose a cell to 2
    utility = np.full((4, 1, 2), NEVER)
    utility[[0, 1], 0, 0] = 0, -0.5
    utility[[1, 2], 0, 1] = 0, -0.25
    target, price = np.array([[0.0], [1.0], [1.0], [0.0]]), np.array([[HARD]] * 3 + [[0.0]])
    np.testing.assert_array_equal(best_slots(utility, target, price), [[1, 2]])
    walked = improve(utility, target, price, np.array([[0, 1]]))
    np.testing.assert_array_equal(walked, [[1, 2]])
