"""The allocated map against every map that there is of a small coarse cell."""

from itertools import product

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from landstep.emulator.allocation import Rule, allocate, fitted_probabilities

K = 6
MOVABLE = np.ones((K, K), bool)
for fixed in (0, 5):
    MOVABLE[fixed], MOVABLE[:, fixed] = False, False
    MOVABLE[fixed, fixed] = True
MOVABLE[1, 2:4] = False
GROUPS = [np.array([-1, 0, 1, 1, 2, -1]), np.array([-1, 0, 1, 1, -1, -1])]
RULES = st.builds(
    lambda group_of, *rest: Rule(rest[0], group_of, group_of.max() + 1, MOVABLE, *rest[1:]),
    st.sampled_from(GROUPS),
    st.sampled_from(["exact", "soft"]),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.sampled_from([0.0, 0.4, 1.0]),
    st.sampled_from([0.0, 0.2, 2.0]),
)


def every_map(prior, recent, p, rule, wanted, price):
    """Give the largest sum over moved cells, less priced misses, of all maps of a coarse cell."""
    best = -np.inf
    choices = [
        [k for k in range(1, K) if h == 255 or rule.movable[h, k]] if h else [0] for h in prior
    ]
    for new in product(*choices):
        best = max(best, worth(prior, recent, np.array(new), p, rule, wanted, price))
    return best


def worth(prior, recent, new, p, rule, wanted, price):
    """Sum over moved cells of p(new) - weight p(old), less the priced misses.

    The weight is that of staying where one of the last three maps had the new class.
    """
    total = 0.0
    for i, (h, k) in enumerate(zip(prior, new, strict=True)):
        if h == 255:
            total += p[k, i]
        elif h != k:
            before = [m[i] for m in recent][:3]
            total += p[k, i] - (rule.stay_weight if k in before else rule.new_weight) * p[h, i]
    count = [(rule.group_of[new] == g).sum() for g in range(rule.n_groups)]
    return total - (price * np.abs(count - wanted)).sum()


@settings(max_examples=60)
@given(st.integers(0, 10**9), RULES, st.sampled_from([0.0, 0.4]), st.integers(0, 5))
def test_no_map_of_a_small_coarse_cell_is_better(seed, rule, masked, depth):
    """With so many maps before the prior, or none."""
    rng = np.random.default_rng(seed)
    shape = 2, int(rng.integers(1, 4))
    odds = np.rint(rng.normal(0, 2, (K, *shape))).astype(np.float32)
    prior = rng.integers(0, K, shape).astype(np.uint8)
    prior[(rng.random(shape) < masked) & (prior > 0)] = 255
    recent = rng.choice([1, 2, 3, 4, 255], (depth, *shape)).astype(np.uint8)
    quota = rng.integers(-192, 193, (rule.n_groups, 1, 1)) * 1000
    assume((np.rint(quota / 64000) != 0).any())
    inputs = np.full((2, 1), 64000), np.zeros(2, int), np.zeros(shape[1], int), (1, 1), rule
    found = allocate(odds, prior, quota, *inputs, recent=recent if depth else None)
    found, recent = found.land_use.ravel(), recent.reshape(depth, prior.size)
    p = fitted_probabilities(odds, prior, quota, *inputs).reshape(K, -1).astype(np.float64)
    prior = prior.ravel()
    held = np.array([(rule.group_of[prior[prior != 255]] == g).sum() for g in range(rule.n_groups)])
    wanted = held + quota[:, 0, 0] / 64000
    price = 1000.0 if rule.mode == "exact" else rule.price
    best = every_map(prior, recent, p, rule, wanted, price)
    assert worth(prior, recent, found, p, rule, wanted, price) >= best - 1e-5
