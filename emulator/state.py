"""The state that passes from year to year, and its restart file."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from landstep.emulator.classes import MASKED
from landstep.emulator.errors import InputError, LandstepError, StateError
from landstep.emulator.grid import AREA_UNIT_M2
from landstep.emulator.netcdf import NetcdfFile, Variable, write_netcdf
from landstep.emulator.quota_report import QuotaReport

SCHEMA = 2

ARRAYS = {
    "land_use": (np.uint8, ("y", "x")),
    "history": (np.uint8, ("history", "y", "x")),
    "debt": (np.int64, ("group", "coarse_y", "coarse_x")),
    "debt_years": (np.uint8, ("group", "coarse_y", "coarse_x")),
}
"""Type and dimensions of a state's arrays; a dimension has one size in all of them."""


@dataclass(frozen=True, eq=False)
class State:
    """Land use on 1 January of a year, and what it belongs to.

    year : calendar year
    land_use : (y, x) uint8 class numbers, MASKED where not known; read-only, as all arrays are
    history : (H, y, x) uint8, the maps before it in stepping order, [0] one step before; MASKED
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
    """

    year: int
    land_use: np.ndarray
    history: np.ndarray
    direction: int
    anchor: int
    debt: np.ndarray
    debt_years: np.ndarray
    scheme: str
    grid: str
    model: str
    provenance: dict[str, str]
    report: QuotaReport | None = None

    def __post_init__(self) -> None:
        """Freeze the arrays, so that no step can change the state that it starts from."""
        sizes: dict[str, int] = {}
        for name, (kind, dims) in ARRAYS.items():
            array: np.ndarray = getattr(self, name)
            fits = array.dtype == kind and array.ndim == len(dims) and 0 not in array.shape
            if not fits or any(
                sizes.setdefault(d, n) != n for d, n in zip(dims, array.shape, strict=True)
            ):
                raise StateError(
                    f"{name} is {array.dtype} {array.shape}, expected {np.dtype(kind)} "
                    f"({', '.join(dims)}), none of size 0, with {sizes or 'no size fixed'}"
                )
            frozen = array.view()
            frozen.setflags(write=False)
            object.__setattr__(self, name, frozen)
        if self.direction not in (1, -1):
            raise StateError(f"direction is {self.direction}, expected 1 (forward) or -1")

    @property
    def checksum(self) -> str:
        """The sha256 of everything that a later step depends on."""
        digest = hashlib.sha256(json.dumps(self._identity(), sort_keys=True).encode())
        for name in ARRAYS:
            digest.update(np.ascontiguousarray(getattr(self, name)).tobytes())
        return digest.hexdigest()

    def _identity(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "year": self.year,
            "scheme": self.scheme,
            "grid": self.grid,
            "model": self.model,
            "direction": self.direction,
            "anchor": self.anchor,
            "shapes": {name: list(getattr(self, name).shape) for name in ARRAYS},
        }

    def save(self, path: str | Path) -> None:
        """Write the restart file.

        The file is complete or not there; one that it replaces stays beside it as PATH.previous.
        Raises InputError where the file cannot be written; the old one is then untouched.
        """
        path = Path(path)
        try:
            if path.exists():
                _keep_previous(path)
        except OSError as error:
            raise InputError(
                f"{path}: cannot keep the restart that it replaces: {error.strerror}"
            ) from error
        write_netcdf(
            path,
            self._sizes(),
            [
                Variable(name, dims, getattr(self, name), {"long_name": self._meaning(name)})
                for name, (_, dims) in ARRAYS.items()
            ],
            {
                "title": "landstep restart",
                "landstep_restart_schema": np.int32(SCHEMA),
                "year": np.int32(self.year),
                "direction": np.int32(self.direction),
                "anchor": np.int32(self.anchor),
                "scheme": self.scheme,
                "grid_sha256": self.grid,
                "model_sha256": self.model,
                "provenance": json.dumps(self.provenance, sort_keys=True),
                "checksum": self.checksum,
            },
        )

    def _sizes(self) -> dict[str, int | None]:
        return {
            dim: size
            for name, (_, dims) in ARRAYS.items()
            for dim, size in zip(dims, getattr(self, name).shape, strict=True)
        }

    def _meaning(self, name: str) -> str:
        number = f"class number in scheme {self.scheme}; {MASKED}: not known"
        return {
            "land_use": number,
            "history": f"maps of the steps before, the last one first: {number}",
            "debt": f"area owed since {self.anchor}, in {AREA_UNIT_M2:g} m2",
            "debt_years": "years for which a debt of the same sign stands",
        }[name]

    @classmethod
    def load(cls, path: str | Path) -> State:
        """Read a restart file.

        Raises StateError where it is missing, damaged, or of another schema; the message names the
        previous good file where there is one.
        """
        path = Path(path)
        try:
            if not path.exists():
                raise StateError(
                    f"{path}: restart file not found{_previous_hint(path)}. A cold start is never "
                    "taken instead: ask for one"
                )
            return cls._read(path)
        except StateError:
            raise
        except (LandstepError, OSError) as error:
            raise StateError(f"restart cannot be read: {error}{_previous_hint(path)}") from error
        except (KeyError, ValueError, TypeError) as error:
            raise StateError(
                f"{path}: restart is damaged ({error!r}){_previous_hint(path)}"
            ) from error

    @classmethod
    def _read(cls, path: Path) -> State:
        with NetcdfFile(path) as file:
            attributes = file.attrs()
            schema = attributes.get("landstep_restart_schema")
            if schema is None:
                raise StateError(
                    f"{path}: not a landstep restart file (no landstep_restart_schema)"
                )
            if int(schema) != SCHEMA:
                raise StateError(
                    f"{path}: restart schema {schema}, need {SCHEMA}; start again: what a step "
                    "takes from the years before is not in that file"
                )
            arrays: dict[str, Any] = {
                name: file.read(name).astype(kind, copy=True) for name, (kind, _) in ARRAYS.items()
            }
            try:
                state = cls(
                    year=int(attributes["year"]),
                    direction=int(attributes["direction"]),
                    anchor=int(attributes["anchor"]),
                    **arrays,
                    scheme=str(attributes["scheme"]),
                    grid=str(attributes["grid_sha256"]),
                    model=str(attributes["model_sha256"]),
                    provenance=json.loads(attributes["provenance"]),
                )
            except StateError as error:
                raise StateError(
                    f"{path}: restart is damaged: {error}{_previous_hint(path)}"
                ) from error
        if state.checksum != attributes["checksum"]:
            raise StateError(f"{path}: restart checksum mismatch{_previous_hint(path)}")
        return state


def previous_path(path: Path) -> Path:
    """Where the restart file that a newer one replaced is kept."""
    return path.with_name(path.name + ".previous")


def _keep_previous(path: Path) -> None:
    """Put a second name to the old file, so that no moment has no whole file."""
    previous = previous_path(path)
    linked = previous.with_name(previous.name + ".next")
    linked.unlink(missing_ok=True)
    try:
        os.link(path, linked)
    except OSError:
        shutil.copyfile(path, linked)
    os.replace(linked, previous)


def _previous_hint(path: Path) -> str:
    previous = previous_path(path)
    try:
        if not previous.exists():
            return "; no previous restart is there"
        state = State._read(previous)
    except (LandstepError, OSError, KeyError, ValueError, TypeError):
        return f"; the previous restart {previous} is damaged too"
    return f"; previous good: {previous} (year {state.year})"
