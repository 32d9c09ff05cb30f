"""The state that passes from year to year, and its restart file."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shlex
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from landstep.emulator.atomic import destination
from landstep.emulator.classes import MASKED
from landstep.emulator.climate import Climate, read_climate, restart_sizes, restart_variables
from landstep.emulator.errors import InputError, StateError
from landstep.emulator.first_look import look, look_on_first
from landstep.emulator.grid import AREA_UNIT_M2
from landstep.emulator.kept import Kept
from landstep.emulator.mapped import put, row_pieces, zeros
from landstep.emulator.netcdf import Compression, NetcdfFile, Variable, write_netcdf
from landstep.emulator.owned import Owner, take
from landstep.emulator.part import Part, runs
from landstep.emulator.quota_report import QuotaReport
from landstep.emulator.ranks import Ranks
from landstep.emulator.restart_checks import (
    check_variables,
    integer_attribute,
    notes_attribute,
    text_attribute,
)
from landstep.emulator.rows import Rows
from landstep.emulator.shares import Share
from landstep.emulator.user_arrays import class_map, class_maps, whole_numbers
from landstep.emulator.years import calendar_year

SCHEMA = 3
OLDER_SCHEMA = 2
"""Of a restart without a host's climate: nothing in it changed."""

ARRAYS = {
    "land_use": (np.uint8, ("y", "x")),
    "history": (np.uint8, ("history", "y", "x")),
    "debt": (np.int64, ("group", "coarse_y", "coarse_x")),
    "debt_years": (np.uint8, ("group", "coarse_y", "coarse_x")),
}
"""Type and dimensions of a state's arrays; a dimension has one size in all of them. The history is
H maps, and an array of three dimensions in the file."""


@dataclass(frozen=True, eq=False)
class State(Owner):
    """Land use on 1 January of a year, and what it belongs to.

    year : calendar year
    land_use : (y, x) uint8 class numbers, MASKED where not known
    history : H maps (y, x) uint8, those before it in stepping order, [0] one step before; MASKED
        where not known
    direction : the way in time that it steps, 1 or -1
    anchor : the year from which quotas are counted
    debt : (G, cy, cx) int64 in AREA_UNIT_M2: area by which each group of each coarse cell should
        have changed since the anchor year and has not
    debt_years : (G, cy, cx) uint8, years for which a debt of the same sign stands
    scheme : name of the class scheme
    grid : fingerprint of the grid
    model : sha256 of the ONNX file
    provenance : what the bits depend on (onnxruntime, provider, instruction set, versions)
    report : what came of the quotas of the step that led here; None at a start. Not in the restart
    confidence : (y, x) uint8, percent of the likeliest class of each cell that could change; None
        where it was not asked for. Not in the restart
    climate : the host's own so far, on the coarse cells of `debt`; None where it gave none
    kept : what a coupler keeps in the restart; a step does not carry it on

    Arrays are read-only and the state's own: those that a caller gives are copied, of any integer
    type, byte order and stride, with masked cells and NaN of a map as MASKED. Years may be
    numpy's integers. Raises StateError for what is neither, or does not fit together.
    """

    year: int
    land_use: np.ndarray
    history: tuple[np.ndarray, ...]
    direction: int
    anchor: int
    debt: np.ndarray
    debt_years: np.ndarray
    scheme: str
    grid: str
    model: str
    provenance: dict[str, str]
    report: QuotaReport | None = None
    confidence: np.ndarray | None = None
    climate: Climate | None = None
    kept: Kept = Kept()

    def __post_init__(self) -> None:
        """Take copies of arrays that a caller could change, and see that all fits together."""
        for name in ("year", "anchor", "direction"):
            self._set(name, calendar_year(getattr(self, name), name, StateError))
        if self.direction not in (1, -1):
            raise StateError(f"direction is {self.direction}, expected 1 (forward) or -1")
        self._set("land_use", class_map(self.land_use, "land_use"))
        self._set("history", class_maps(self.history, "history"))
        for name in ("debt", "debt_years"):
            self._set(name, whole_numbers(getattr(self, name), name, ARRAYS[name][0]))
        if self.confidence is not None:
            self._set("confidence", whole_numbers(self.confidence, "confidence", np.uint8))
        self._check_texts()
        sizes: dict[str, int] = {}
        for name, (kind, dims) in ARRAYS.items():
            shape = self._shape(name)
            if (
                len(shape) != len(dims)
                or 0 in shape
                or any(sizes.setdefault(d, n) != n for d, n in zip(dims, shape, strict=True))
            ):
                raise StateError(
                    f"{name} is {np.dtype(kind)} {shape}, expected {np.dtype(kind)} "
                    f"({', '.join(dims)}), none of size 0, with {sizes or 'no size fixed'}"
                )
        if not isinstance(self.climate, Climate | None) or not isinstance(self.kept, Kept):
            raise StateError(
                f"climate is {type(self.climate).__name__}, kept {type(self.kept).__name__}; "
                "expected a Climate or None, and Kept"
            )
        if self.climate is not None and self.climate.shape != self.debt.shape[1:]:
            raise StateError(
                f"climate on coarse cells {self.climate.shape}, debt on {self.debt.shape[1:]}; "
                "expected the same"
            )

    def _check_texts(self) -> None:
        """Take a copy of the provenance; StateError where a text is none."""
        for name in ("scheme", "grid", "model"):
            if not isinstance(getattr(self, name), str):
                raise StateError(f"{name} is {getattr(self, name)!r}, expected text")
        items = self.provenance.items() if isinstance(self.provenance, Mapping) else [(None, None)]
        if not all(isinstance(text, str) for item in items for text in item):
            raise StateError(f"provenance is {self.provenance!r:.200}, expected texts by name")
        self._set("provenance", dict(self.provenance))

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    @property
    def checksum(self) -> str:
        """The sha256 of everything that a later step depends on."""
        digest = hashlib.sha256(json.dumps(self._identity(), sort_keys=True).encode())
        for name in ARRAYS:
            for field in self._maps(name):
                for piece in row_pieces(len(field)):
                    digest.update(np.ascontiguousarray(field[piece]).data)
        if self.climate is not None:
            self.climate.digest_into(digest)
        for array in self.kept.pieces():
            digest.update(array.data)
        return digest.hexdigest()

    @property
    def _schema(self) -> int:
        return OLDER_SCHEMA if self.climate is None else SCHEMA

    def _maps(self, name: str) -> tuple[np.ndarray, ...]:
        """The arrays of a name: the maps of the history, one of any other."""
        return self.history if name == "history" else (getattr(self, name),)

    def _shape(self, name: str) -> tuple[int, ...]:
        """The shape that a name's arrays have in the file."""
        maps = self._maps(name)
        if name != "history":
            return tuple(maps[0].shape)
        shapes = {m.shape for m in maps}
        if len(shapes) > 1:
            raise StateError(f"history holds maps of {sorted(shapes)}, expected one size")
        return (len(maps), *(shapes.pop() if shapes else ()))

    def _identity(self) -> dict[str, Any]:
        climate = {} if self.climate is None else {"climate": self.climate.identity()}
        return {
            "schema": self._schema,
            "year": self.year,
            "scheme": self.scheme,
            "grid": self.grid,
            "model": self.model,
            "direction": self.direction,
            "anchor": self.anchor,
            "shapes": {name: list(self._shape(name)) for name in ARRAYS},
            **climate,
            **({"kept": self.kept.identity()} if self.kept else {}),
        }

    def save(self, path: str | Path, *, compression: Compression = "zlib") -> None:
        """Write the restart file.

        compression : of the maps: "zstd" is faster, and fewer programs read it

        The file is complete or not there; one that it replaces stays beside it as PATH.previous.
        Raises InputError where the file cannot be written; the old one is then untouched.
        """
        path = Path(path)
        file = destination(path)
        try:
            if file.exists():
                _keep_previous(path, file)
        except OSError as error:
            raise InputError(
                f"{path}: cannot keep the restart that it replaces: {error.strerror}"
            ) from error
        write_netcdf(
            path,
            {**self._sizes(), **self.kept.sizes()},
            [
                Variable(
                    name,
                    dims,
                    self._rows(name),
                    {"long_name": self._meaning(name)},
                    dtype=kind,
                    compress=compression,
                )
                for name, (kind, dims) in ARRAYS.items()
            ]
            + restart_variables(self.climate)
            + self.kept.variables(),
            {
                "title": "landstep restart",
                "landstep_restart_schema": np.int32(self._schema),
                "year": np.int32(self.year),
                "direction": np.int32(self.direction),
                "anchor": np.int32(self.anchor),
                "scheme": self.scheme,
                "grid_sha256": self.grid,
                "model_sha256": self.model,
                "provenance": json.dumps(self.provenance, sort_keys=True),
                "checksum": self.checksum,
                **self.kept.attributes(),
            },
        )

    def _rows(self, name: str) -> np.ndarray | Rows:
        """What is to be written of a name: the maps piece by piece."""
        if name in ("debt", "debt_years"):
            return np.asarray(getattr(self, name))
        maps = self._maps(name)
        return Rows(field[piece] for field in maps for piece in row_pieces(len(field)))

    def _sizes(self) -> dict[str, int | None]:
        sizes: dict[str, int | None] = {
            dim: size
            for name, (_, dims) in ARRAYS.items()
            for dim, size in zip(dims, self._shape(name), strict=True)
        }
        return sizes | restart_sizes(self.climate)

    def _meaning(self, name: str) -> str:
        number = f"class number in scheme {self.scheme}; {MASKED}: not known"
        return {
            "land_use": number,
            "history": f"maps of the steps before, the last one first: {number}",
            "debt": f"area owed since {self.anchor}, in {AREA_UNIT_M2:g} m2",
            "debt_years": "years for which a debt of the same sign stands",
        }[name]

    @classmethod
    def load(cls, path: str | Path, share: Share | None = None) -> State:
        """Read a restart file.

        share : read only what this rank holds; None: all, and hold it against its checksum

        Raises StateError where it is missing, damaged, or of another schema; the message names the
        previous good file where there is one.
        """
        path = Path(path)
        with _reading(path):
            return cls._read(path, share)

    @classmethod
    def _read(cls, path: Path, share: Share | None = None) -> State:
        with NetcdfFile(path) as file:
            attributes = file.attrs()
            schema = attributes.get("landstep_restart_schema")
            if schema is None:
                raise StateError(
                    f"{path}: not a landstep restart file (no landstep_restart_schema)"
                )
            if not isinstance(schema, np.integer) or schema not in (OLDER_SCHEMA, SCHEMA):
                raise StateError(
                    f"{path}: restart schema {schema}, need {OLDER_SCHEMA} or {SCHEMA}; start "
                    "again: what a step takes from the years before is not in that file"
                )
            try:
                state, checksum = cls._read_parts(file, attributes, share)
            except _OtherGrid as error:
                raise StateError(f"{path}: {error}") from error
            except StateError as error:
                raise StateError(
                    f"{path}: restart is damaged: {error}{_previous_hint(path)}"
                ) from error
        part = share is not None and not share.held.is_whole
        if not part and state.checksum != checksum:
            raise StateError(f"{path}: restart checksum mismatch{_previous_hint(path)}")
        return state

    @classmethod
    def _read_parts(
        cls, file: NetcdfFile, attributes: Mapping[str, Any], share: Share | None
    ) -> tuple[State, str]:
        """Read what a state is made of, and the checksum that the file says it has."""
        check_variables(file, ARRAYS)
        found = file.shape("land_use")
        if share is not None and found != share.held.of:
            raise _OtherGrid(
                f"lies on another grid ({found}), this run is on {share.held.of}; take the restart "
                "of this region"
            )
        state = cls(
            year=integer_attribute(attributes, "year"),
            direction=integer_attribute(attributes, "direction"),
            anchor=integer_attribute(attributes, "anchor"),
            land_use=_read_map(file, "land_use", (), share),
            history=tuple(
                _read_map(file, "history", (number,), share)
                for number in range(file.shape("history")[0])
            ),
            debt=_coarse(file.read("debt"), share),
            debt_years=_coarse(file.read("debt_years"), share),
            scheme=text_attribute(attributes, "scheme"),
            grid=text_attribute(attributes, "grid_sha256"),
            model=text_attribute(attributes, "model_sha256"),
            provenance=notes_attribute(attributes, "provenance"),
            climate=read_climate(file, share),
            kept=Kept.read(file),
        )
        return state, text_attribute(attributes, "checksum")


class _OtherGrid(StateError):
    """A whole restart, of another grid."""


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn what goes wrong with a restart file into a StateError that names the one before it."""
    try:
        if not path.exists():
            raise StateError(
                f"{path}: restart file not found{_previous_hint(path)}. A cold start is never "
                "taken instead: ask for one"
            )
        yield
    except StateError:
        raise
    except (InputError, OSError) as error:
        told = str(error) if path.name in str(error) else f"{path}: {error}"
        raise StateError(f"restart cannot be read: {told}{_previous_hint(path)}") from error
    except (Exception, MemoryError) as error:  # whatever a library makes of damaged bytes
        raise StateError(
            f"{path}: restart is damaged ({type(error).__name__}: {error}){_previous_hint(path)}"
        ) from error


def check_restart(path: Path, ranks: Ranks) -> None:
    """Look at a restart file on the first rank, before any rank opens it; all ranks call it.

    Raises StateError where it is missing or damaged; the message names the previous good file.
    """
    with ranks.together():
        if ranks.is_first:
            with _reading(path):
                look(path)
    look_on_first(ranks, [])


def _read_map(
    file: NetcdfFile, name: str, step: tuple[int, ...], share: Share | None
) -> np.ndarray:
    """Read a map of class numbers piece by piece: (y, x) uint8, as `mapped.zeros` gives it."""
    rows, columns = file.shape(name)[-2:]
    held = Part.whole((rows, columns)) if share is None else share.held
    field = zeros(held.shape, np.uint8)
    for piece in row_pieces(held.shape[0]):
        of_file = slice(held.top + piece.start, held.top + piece.stop)
        for place, stored in runs(held.columns):
            values = file.read(name, (*step, of_file, stored))
            put(field, piece.start, place.start, values.astype(np.uint8, copy=False))
    return take(field)


def _coarse(field: np.ndarray, share: Share | None) -> np.ndarray:
    """Cut a field of coarse cells to those that a rank holds."""
    return field if share is None or share.held.is_whole else share.coarse_held.cut(field)


def checksum_of(path: Path) -> str:
    """Give the checksum that a restart file says it has; StateError where it says none."""
    with NetcdfFile(path) as file:
        found = file.attrs().get("checksum")
    if found is None:
        raise StateError(f"{path}: not a landstep restart file (no checksum)")
    return str(found)


def previous_path(path: Path) -> Path:
    """Where the restart file that a newer one replaced is kept."""
    return path.with_name(path.name + ".previous")


def _keep_previous(path: Path, file: Path) -> None:
    """Put a second name to the old file, so that no moment has no whole file.

    file : where it lies, links resolved
    """
    previous = previous_path(path)
    if not previous.is_symlink():  # a link is replaced, not followed
        destination(previous)
    linked = previous.with_name(previous.name + ".next")
    linked.unlink(missing_ok=True)
    try:
        os.link(file, linked)
    except OSError:
        shutil.copyfile(file, linked)
    os.replace(linked, previous)


def _previous_hint(path: Path) -> str:
    previous = previous_path(path)
    try:
        if not previous.exists():
            return "; no previous restart is there"
        state = State._read(previous)
    except (Exception, MemoryError):  # as in `State.load`
        return f"; the previous restart {previous} is damaged too"
    put_back = f"cp {shlex.quote(str(previous))} {shlex.quote(str(path))}"
    return (
        f"; previous good: {previous} (year {state.year}); to go on from it: {put_back}, then the "
        "same command again"
    )
