"""Every host that comes with landstep, served by anomaly: identity, bounds, sums."""

from collections.abc import Callable

import numpy as np
import pytest

from landstep.coupling.anomaly import Anomaly
from landstep.coupling.areas import Areas
from landstep.coupling.crosswalk import Crosswalk
from landstep.coupling.host_table import host_names, host_table
from landstep.coupling.monthly_maps import MonthlyMap
from landstep.emulator.classes import scheme

N = 30
ALL = [(host, of) for host in host_names() for of in ("hilda8", "hilda13")]


@pytest.mark.parametrize(("host", "of"), ALL)
@pytest.mark.parametrize("seed", range(4))
def test_a_host_gets_its_own_bits_then_bounded_changes(
    random_areas: Callable[..., Areas], host: str, of: str, seed: int
) -> None:
    walk = Crosswalk.make(host_table(host, "."), scheme(of), legend_known=True)
    n_classes = scheme(of).n_classes
    before, after, others = (random_areas(10 * seed + i, n_classes, N) for i in range(3))
    own = dict(walk.values(others))
    rng = np.random.default_rng(seed)
    for field in walk.fields:
        if field.months == 12:
            own[field.name] = rng.uniform(*field.bounds, (N, 12))
    anomaly = Anomaly.make(walk, own, before)
    first, then = anomaly.values(before).values, anomaly.values(after).values
    for field in walk.fields:
        if field.months == 12:
            of_month = MonthlyMap.make(walk, field.name, own, before)
            means = of_month.means_from(of_month.sums())
            first[field.name], _ = of_month.values(means, before, first)
            then[field.name], _ = of_month.values(means, after, then)
        assert np.array_equal(first[field.name], own[field.name]), field.name
        assert np.isfinite(then[field.name]).all()
        assert (then[field.name] >= field.bounds[0]).all(), field.name
        assert (then[field.name] <= field.bounds[1]).all(), field.name
        if field.integer:
            assert (then[field.name] == np.rint(then[field.name])).all()
    for group in walk.sums:
        total = sum(then[name] for name in group.fields)
        assert (total <= group.total + 1e-13).all()
        if group.exact:
            assert np.abs(total - group.total).max() <= 1e-13
