"""Every host that comes with landstep, on the made-up world: identity, change, restart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from landstep.coupling.coupler import Coupler
from landstep.coupling.fields import Field

FIRST = 2015
HOSTS = sorted(path.stem for path in (Path(__file__).parents[2] / "coupling/hosts").glob("*.toml"))
Cells = dict[str, np.ndarray]


def opened(experiment: Path, cells: Cells, own: dict[str, np.ndarray], **how: Any) -> Coupler:
    coupler = Coupler.open(experiment, **cells, **how)
    for name, values in own.items():
        coupler.baseline(name, values)
    return coupler


def anything(field: Field, n: int) -> np.ndarray:
    """Values that a field can have; of a monthly one in each month another."""
    low, high = field.bounds
    if field.integer:
        return np.full(n, np.ceil(low) + 2)
    share = np.array([0.1]) if field.months == 1 else 0.1 + np.arange(12.0) / 100
    return np.squeeze(
        np.tile(low + share * (high - low), (n, 1)), axis=1 if len(share) == 1 else ()
    )


def fields_of(coupler: Coupler) -> dict[str, np.ndarray]:
    return {name: coupler.get(name) for name in coupler.names()}


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_keeps_its_fields_in_the_reference_year_and_moves_with_the_land(
    coupled: Callable[..., Path], cells: Cells, tmp_path: Path, host: str
) -> None:
    """Its baseline is what landstep itself says: then anomaly is absolute, but for the months.

    All fields are finite and within their bounds, and a restart goes on with the same bits.
    """
    ways = [
        coupled(f"{host}_{m}", host=host, mode=m, albedo="left", ice="left")
        for m in ("absolute", "anomaly")
    ]
    probe = Coupler.open(ways[0], **cells, year=FIRST)
    listed = probe._fields.source.fields
    some = {field.name: anything(field, probe.n) for field in listed}
    absolute = opened(ways[0], cells, some, year=FIRST)
    absolute.update(FIRST, 1, 1)
    monthly = {field.name for field in listed if field.months == 12}
    own = {name: some[name] if name in monthly else absolute.get(name) for name in some}
    anomaly = opened(ways[1], cells, own, year=FIRST)
    anomaly.update(FIRST, 1, 1)
    for name in own.keys() - monthly:
        assert np.array_equal(anomaly.get(name), own[name]), name
    for coupler in (absolute, anomaly):
        coupler.update(FIRST + 1, 1, 1)
    served = anomaly._fields.served
    assert served.any()
    moved = 0
    for field in listed:
        name, (low, high) = field.name, field.bounds
        for coupler in (absolute, anomaly):
            values = coupler.get(name)
            assert np.isfinite(values).all(), name
            assert (values >= low - 1e-12).all() and (values <= high + 1e-12).all(), name
        if name not in monthly:
            found, wanted = anomaly.get(name)[served], absolute.get(name)[served]
            assert found == pytest.approx(wanted, abs=1e-9 * (high - low)), name
            moved += not np.array_equal(found, own[name][served])
    assert moved
    anomaly.write_restart(tmp_path / "r.nc")
    again = Coupler.open(ways[1], **cells, restart=tmp_path / "r.nc")
    for coupler in (anomaly, again):
        coupler.update(FIRST + 2, 3, 4)
    first, second = fields_of(anomaly), fields_of(again)
    assert all(np.array_equal(first[name], second[name]) for name in first)
