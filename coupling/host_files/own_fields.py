"""The fields that a host's file holds, as landstep's tables speak of them, and the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from landstep.coupling.fields import FieldSource
from landstep.coupling.host_files.layout import SMALLEST_LAND, RestTable
from landstep.coupling.monthly_maps import MONTHS

TOTAL = 100.0
"""Sum of the fields that a rest is of, percent."""


@dataclass(frozen=True, eq=False)
class OwnFields:
    """A file's own fields.

    values : name -> (n,), or (n, 12) of a field that landstep has by month
    days : names of fields that landstep has by month and the file of one day: all months are alike
    whole : name -> (n,) share of the cell that landstep's field is a share of, where the file
        counts from the whole cell: its land, or what its known classes cover
    """

    values: Mapping[str, np.ndarray]
    days: frozenset[str]
    whole: Mapping[str, np.ndarray]

    @classmethod
    def make(
        cls,
        held: Mapping[str, np.ndarray],
        source: FieldSource,
        rest: RestTable | None = None,
        sea: np.ndarray | None = None,
        others_stay: Sequence[Sequence[str]] = (),
    ) -> OwnFields:
        """Take the fields of a file.

        held : name -> (n,) or (n, 12), as the file has them
        source : of landstep's fields; those of another name are kept as they are
        rest : the field that the others of its sum leave, where the file lacks it
        sea : (n,) share of each cell that is sea; None: the file does not say it
        others_stay : names of fields that fill a cell together; those that landstep does not have
            stay, and the others count as shares of what they fill
        """
        months = {field.name: field.months for field in source.fields}
        values = dict(held)
        whole: dict[str, np.ndarray] = {}
        for names in others_stay:
            ours = [name for name in names if name in months]
            for name in set(names) - set(ours):
                del values[name]
            whole |= dict.fromkeys(ours, _sum(values, ours))
        group: tuple[str, ...] = ()
        if rest is not None:
            group = next((g.fields for g in source.sums if rest.field in g.fields), ())
        if sea is not None:
            whole |= dict.fromkeys(group, 1.0 - sea)
        for name in whole.keys() & values.keys():
            values[name] = values[name] / np.where(whole[name] > 0, whole[name], 1.0)
        if rest is not None and rest.field not in values:
            lacking = [name for name in group if name not in values]
            if set(lacking) <= {rest.field, *rest.zero}:
                others = _sum(values, [name for name in group if name in values])
                values |= {name: np.zeros_like(others) for name in lacking}
                values[rest.field] = np.clip(TOTAL - others, 0.0, TOTAL)
        days = frozenset(
            name for name, own in values.items() if own.ndim == 1 and months.get(name) == MONTHS
        )
        values |= {name: np.repeat(values[name][:, None], MONTHS, axis=1) for name in days}
        return cls(values, days, whole)

    @property
    def served(self) -> np.ndarray:
        """Points where there is something to take a share of: (n,) bool."""
        n = len(next(iter(self.values.values())))
        return np.all([np.ones(n), *(of > SMALLEST_LAND for of in self.whole.values())], axis=0)

    def back(self, name: str, new: np.ndarray) -> np.ndarray:
        """Return a new field as the file has it.

        new : of the shape of `values[name]`
        returns : (n,) or (n, 12); NaN where it is the file's own, which then stays bit for bit
        """
        moved = np.where(new == self.values[name], np.nan, new)
        if name in self.days:
            moved = moved[:, 0]
        return moved * self.whole[name] if name in self.whole else moved


def _sum(values: Mapping[str, np.ndarray], names: Sequence[str]) -> np.ndarray:
    """Sum of some fields: (n,) float64."""
    return np.sum([values[name] for name in names], axis=0)
