"""The fields that a host's file holds, as landstep's tables speak of them, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from landstep.coupling.fields import FieldSource
from landstep.coupling.host_files.layout import RestTable
from landstep.coupling.monthly_maps import MONTHS

TOTAL = 100.0
"""Sum of the fields that a rest is of, percent."""


@dataclass(frozen=True, eq=False)
class OwnFields:
    """A file's own fields.

    values : name -> (n,), or (n, 12) of a field that landstep has by month
    days : names of fields that landstep has by month and the file of one day: all months are alike
    of_land : names of fields that the file counts from the whole cell and landstep from its land
    land : (n,) share of each cell that is land
    """

    values: Mapping[str, np.ndarray]
    days: frozenset[str]
    of_land: frozenset[str]
    land: np.ndarray

    @classmethod
    def make(
        cls,
        held: Mapping[str, np.ndarray],
        source: FieldSource,
        rest: RestTable | None = None,
        sea: np.ndarray | None = None,
    ) -> OwnFields:
        """Take the fields of a file.

        held : name -> (n,) or (n, 12), as the file has them
        source : of landstep's fields; those of another name are kept as they are
        rest : the field that the others of its sum leave, where the file lacks it
        sea : (n,) share of each cell that is sea; None: the file does not say it
        """
        months = {field.name: field.months for field in source.fields}
        group: tuple[str, ...] = ()
        if rest is not None:
            group = next((g.fields for g in source.sums if rest.field in g.fields), ())
        some = next(iter(held.values()))
        land = np.ones(len(some)) if sea is None else 1.0 - sea
        of_land = frozenset(group) if sea is not None else frozenset()
        values = {
            name: own / np.where(land > 0, land, 1.0) if name in of_land else own
            for name, own in held.items()
        }
        if rest is not None and rest.field not in values:
            lacking = [name for name in group if name not in values]
            if set(lacking) <= {rest.field, *rest.zero}:
                others = sum(values[name] for name in group if name in values)
                values |= {name: np.zeros_like(land) for name in lacking}
                values[rest.field] = np.clip(TOTAL - others, 0.0, TOTAL)
        days = frozenset(
            name for name, own in values.items() if own.ndim == 1 and months.get(name) == MONTHS
        )
        values |= {name: np.repeat(values[name][:, None], MONTHS, axis=1) for name in days}
        return cls(values, days, of_land, land)

    def back(self, name: str, new: np.ndarray) -> np.ndarray:
        """Give a new field as the file has it.

        new : of the shape of `values[name]`
        returns : (n,) or (n, 12); NaN where it is the file's own, which then stays bit for bit
        """
        moved = np.where(new == self.values[name], np.nan, new)
        if name in self.days:
            moved = moved[:, 0]
        return moved * self.land if name in self.of_land else moved
