"""Anomaly coupling: a host's own field, plus what changed since a reference year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from landstep.coupling.areas import Areas
from landstep.coupling.baseline import check_sums, checked_baseline, require_baselines
from landstep.coupling.fields import Field, FieldSource, SumGroup
from landstep.coupling.sums import moved

CLIPPED_OVER = 1e-9
"""A point counts as clipped where its field is farther than this, in parts of the bounds' width,
from baseline + change. Ours: well above rounding, well below what a host can feel."""


@dataclass(frozen=True)
class Served:
    """What a host gets.

    values : name -> (n,) or (n, 12) float64, read-only, finite
    clipped : name -> number of points where bounds or sums held the field back from the sum of
        baseline and change
    """

    values: dict[str, np.ndarray]
    clipped: dict[str, int]


@dataclass(frozen=True)
class Anomaly:
    """A host's baseline, and landstep's own fields in the reference year.

    baselines : name -> (n,) float64, of annual fields
    reference : name -> (n,) float64
    """

    source: FieldSource
    baselines: dict[str, np.ndarray]
    reference: dict[str, np.ndarray]

    @classmethod
    def make(
        cls, source: FieldSource, baselines: Mapping[str, np.ndarray], reference: Areas
    ) -> Anomaly:
        """Take a host's own fields.

        baselines : name -> (n,), of annual fields; monthly ones are left to monthly_maps.py
        reference : areas of the reference year
        Raises CouplingError for a field that is none, or a baseline that cannot be or lacks those
        that it goes with.
        """
        fields = {field.name: field for field in source.fields}
        require_baselines(source, baselines, baselines, "anomaly", "left")
        mask = source.mask(reference)
        annual = {
            name: checked_baseline(fields[name], values, mask)
            for name, values in baselines.items()
            if fields[name].months == 1
        }
        check_sums(source, annual, mask)
        return cls(source, annual, source.values(reference))

    def values(self, areas: Areas) -> Served:
        """Fields of a later year: those that the host gave a baseline of.

        A fraction or mean is baseline + (now - reference), within its bounds; the sum of a group
        is the baseline's plus the change of landstep's, or exactly its total. Where none of a
        group's fields changed since the reference, the baselines stay, bit for bit. A type stays
        as well, unless landstep's own changed, or cover appears where the baseline has none; one
        that is the largest of shares that the host gave, unless another is the largest now.
        """
        now = self.source.values(areas)
        fields = {field.name: field for field in self.source.fields}
        groups = [group for group in self.source.sums if group.fields[0] in self.baselines]
        found: dict[str, np.ndarray] = {}
        clipped: dict[str, int] = {}
        for group in groups:
            self._move_group(group, now, found, clipped)
        for name in self.baselines:
            if name not in found and not fields[name].integer:
                self._move_alone(fields[name], now, found, clipped)
        for name in self.baselines:
            if fields[name].integer:
                found[name] = self._type(fields[name], now, found)
                clipped[name] = 0
        for value in found.values():
            value.setflags(write=False)
        return Served(found, clipped)

    def _move_group(
        self,
        group: SumGroup,
        now: dict[str, np.ndarray],
        found: dict[str, np.ndarray],
        clipped: dict[str, int],
    ) -> None:
        def table(of: Mapping[str, np.ndarray]) -> np.ndarray:
            return np.stack([of[name] for name in group.fields], axis=1)

        own, before, after = table(self.baselines), table(self.reference), table(now)
        changed = (after != before).any(axis=1)
        values = own.copy()
        if group.whole:
            _move_whole(group, values, before, after, changed)
        else:
            values[changed] = moved(own[changed], (after - before)[changed], group)
        for column, name in enumerate(group.fields):
            found[name] = np.ascontiguousarray(values[:, column])
            wanted = own[:, column] + (after - before)[:, column]
            off = np.abs(found[name] - wanted) > CLIPPED_OVER * group.total
            clipped[name] = int((off & changed).sum())

    def _move_alone(
        self,
        field: Field,
        now: dict[str, np.ndarray],
        found: dict[str, np.ndarray],
        clipped: dict[str, int],
    ) -> None:
        own, change = self.baselines[field.name], now[field.name] - self.reference[field.name]
        changed = change != 0
        low, high = field.bounds
        inside = np.clip(own + change, low, high)
        found[field.name] = np.where(changed, inside, own)
        off = np.abs(inside - (own + change)) > CLIPPED_OVER * (high - low)
        clipped[field.name] = int((off & changed).sum())

    def _type(
        self, field: Field, now: dict[str, np.ndarray], found: dict[str, np.ndarray]
    ) -> np.ndarray:
        own, before, after = self.baselines[field.name], self.reference[field.name], now[field.name]
        if field.shares and set(field.shares) <= found.keys():
            before, after = _largest(field, self.baselines), _largest(field, found)
        taken = after != before
        if field.of_cover:
            taken = taken | (self.baselines[field.of_cover] <= 0) & (found[field.of_cover] > 0)
        return np.where(taken & (after != field.fill), after, own)


def _largest(field: Field, shares: Mapping[str, np.ndarray]) -> np.ndarray:
    """Type of the largest of a field's shares at each point, the first of equal ones."""
    largest = np.stack([shares[name] for name in field.shares], axis=1).argmax(axis=1)
    return np.array(field.types)[largest]


def _move_whole(
    group: SumGroup,
    values: np.ndarray,
    before: np.ndarray,
    after: np.ndarray,
    changed: np.ndarray,
) -> None:
    """Move a group one field of which is 0 or all, in place.

    values : (n, fields), the baselines. Where landstep's whole field turned, its own values are
    taken; where the baseline's is all, it stays; elsewhere the others move among themselves.
    """
    column = group.fields.index(group.whole)
    turned = before[:, column] != after[:, column]
    is_all = values[:, column] > group.total / 2
    move = changed & ~turned & ~is_all
    change = after - before
    change[:, column] = 0.0
    rest = values[move].copy()
    rest[:, column] = 0.0
    values[move] = moved(rest, change[move], group)
    values[turned] = after[turned]
