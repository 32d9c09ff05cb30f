"""A file beside the run that knows its baselines and what was handed out since.

A host writes the fields that landstep moved into its own restart or surface file. A start from the
map with those as baselines would count their change a second time, and nothing in the fields tells
that they moved. So a run that keeps such a record writes a checksum of each baseline when it begins
and of each field of each year, and the next start holds its baselines against them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from landstep.coupling.points import Points
from landstep.emulator.atomic import destination, replacing
from landstep.emulator.errors import CouplingError, InputError
from landstep.emulator.ranks import Ranks
from landstep.emulator.strict_json import strict_json

KEY = "[coupling] baseline_record"
_SEEDS = 0x9E3779B97F4A7C15, 0xD1B54A32D192ED03
_WHAT = "landstep: checksums of a host's baselines, and of what was handed out"


@dataclass(frozen=True)
class BaselineRecord:
    """The record of one host on one set of points.

    path : of the file
    of : whose record it is: the host's name and the checksum of its points
    own : field -> checksum of its baseline
    years : field -> checksum of what was handed out -> its years
    """

    path: Path
    of: str
    own: Mapping[str, str]
    years: Mapping[str, Mapping[str, list[int]]]

    @classmethod
    def begun(
        cls,
        path: Path,
        of: str,
        given: Mapping[str, str],
        *,
        reference: int,
        goes_on: bool,
        taken: bool,
    ) -> BaselineRecord:
        """Read the record, if there is one, and hold a start's baselines against it.

        given : field -> checksum of the baseline that the run has
        reference : year from which the run counts changes
        goes_on : the run has its baselines from a restart, which has checked them
        taken : take whatever a new start or a branch gives, and begin the record anew
        Raises CouplingError naming the field where it is what was handed out in another year than
        the reference, or neither that nor the baseline of the record; InputError for a file that is
        no such record.
        """
        found = _read(path).get(of)
        if found is None or (taken and not goes_on):
            return cls(path, of, dict(given), {})
        record = cls(path, of, found["own"], found["handed_out"])
        if not goes_on:
            for name in sorted(set(given) & set(record.own)):
                record._check(name, given[name], reference)
        return cls(path, of, {**given, **record.own}, record.years)

    def _check(self, name: str, given: str, reference: int) -> None:
        years = self.years.get(name, {}).get(given, [])
        if given == self.own[name] or reference in years:
            return
        remedy = (
            "give the host's own field, or set [coupling] moved_baseline = 'taken' where this is "
            "meant; that begins the record anew"
        )
        if years:
            raise CouplingError(
                f"baseline {name!r} is what landstep handed out in {years[-1]} ({self.path}), "
                f"expected the host's own field: counted from {reference} the change would count "
                f"twice; set [coupling] reference = {years[-1]}, or {remedy}"
            )
        raise CouplingError(
            f"baseline {name!r} is neither the one with which this run began nor what was handed "
            f"out ({self.path}): it may hold a part of the change already; {remedy}"
        )

    def with_year(self, year: int, handed_out: Mapping[str, str]) -> BaselineRecord:
        """Add the fields of a year: field -> checksum."""
        years = {name: dict(known) for name, known in self.years.items()}
        for name, checksum in handed_out.items():
            if checksum != self.own.get(name):
                of_field = years.setdefault(name, {})
                of_field[checksum] = sorted({*of_field.get(checksum, []), year})
        return BaselineRecord(self.path, self.of, self.own, years)

    def write(self) -> None:
        """Write the file anew, with what other hosts or points have in it.

        Raises InputError where it cannot be written.
        """
        hosts = _read(self.path) | {self.of: {"own": self.own, "handed_out": self.years}}
        with replacing(self.path) as temporary:
            temporary.write_text(json.dumps({"what": _WHAT, "hosts": hosts}, indent=1), "utf-8")


def checksums_of(fields: Mapping[str, np.ndarray], points: Points, ranks: Ranks) -> dict[str, str]:
    """Return the checksum of each field over the served points. All ranks call it, alike.

    fields : name -> (n,) or (n, 12) of this rank's points; they are compared in single precision,
        in which many hosts keep them
    returns : name -> 32 hexadecimal digits, the same for any order and division of the points
    """
    names = sorted(fields)
    sums = [_sums(fields[name], points) for name in names]
    total = ranks.sum(np.array(sums, np.int64).reshape(len(names), 4))
    return {name: _text(row) for name, row in zip(names, total, strict=True)}


def name_of(host: str, points: Points, ranks: Ranks) -> str:
    """Return whose record it is: the host, and a checksum of where its points are."""
    place = np.stack([points.lon, points.lat], axis=1)
    return f"{host} {_text(ranks.sum(np.array(_sums(place, points), np.int64)))}"


def _sums(values: np.ndarray, points: Points) -> list[int]:
    """Sums over served points of 32-bit halves of two hashes of (index, column, value)."""
    served = points.index >= 0
    single = values[served].reshape(int(served.sum()), -1).astype(np.float32) + np.float32(0)
    single = np.where(np.isnan(single), np.float32(np.nan), single)
    bits = single.view(np.uint32).astype(np.uint64)
    index = points.index[served].astype(np.uint64)[:, None]
    place = index * np.uint64(16) + np.arange(bits.shape[1], dtype=np.uint64)
    found = []
    for seed in _SEEDS:
        mixed = _mix(_mix(place + np.uint64(seed)) ^ bits)
        for half in (mixed >> np.uint64(32), mixed & np.uint64(0xFFFFFFFF)):
            found.append(int(half.astype(np.int64).sum()))
    return found


def _mix(words: np.ndarray) -> np.ndarray:
    """Mix the bits of 64-bit words. Source: Steele et al. (2014), SplitMix64, its finalizer."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def _text(sums: np.ndarray) -> str:
    return "".join(f"{int(part) & 0xFFFFFFFF:08x}" for part in sums)


def _read(path: Path) -> dict[str, Any]:
    """Read the hosts of a record; none where there is no file. What is no file is not opened."""
    destination(path)
    try:
        hosts = strict_json(path.read_text("utf-8"))["hosts"]
        for entry in hosts.values():
            own, handed_out = entry["own"], entry["handed_out"]
            if not all(isinstance(word, str) for word in own.values()) or not all(
                isinstance(year, int)
                for known in handed_out.values()
                for years in known.values()
                for year in years
            ):
                raise ValueError("checksums or years of another kind")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: not a record of baselines ({error}), expected what {KEY} of an earlier run "
            "wrote; move it away, and give the host's own fields"
        ) from error
    return dict(hosts)
