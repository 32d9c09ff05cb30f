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
from landstep.emulator.netcdf import NetcdfFile, Variable, write_netcdf

SCHEMA = 1


@dataclass(frozen=True, eq=False)
class State:
    """Land use on 1 January of a year, and what it belongs to.

    year : calendar year
    land_use : (y, x) uint8 class numbers, MASKED where not known; read-only
    scheme : name of the class scheme
    grid : fingerprint of the grid
    model : sha256 of the ONNX file
    provenance : what the bits depend on (onnxruntime, provider, instruction set, versions)
    """

    year: int
    land_use: np.ndarray
    scheme: str
    grid: str
    model: str
    provenance: dict[str, str]

    def __post_init__(self) -> None:
        """Freeze the map, so that no step can change the state that it starts from."""
        if self.land_use.dtype != np.uint8 or self.land_use.ndim != 2:
            raise StateError(
                f"land_use is {self.land_use.dtype} {self.land_use.shape}, expected uint8 (y, x)"
            )
        frozen = self.land_use.view()
        frozen.setflags(write=False)
        object.__setattr__(self, "land_use", frozen)

    @property
    def checksum(self) -> str:
        """The sha256 of everything that a later step depends on."""
        digest = hashlib.sha256(json.dumps(self._identity(), sort_keys=True).encode())
        digest.update(np.ascontiguousarray(self.land_use).tobytes())
        return digest.hexdigest()

    def _identity(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "year": self.year,
            "scheme": self.scheme,
            "grid": self.grid,
            "model": self.model,
            "shape": list(self.land_use.shape),
        }

    def save(self, path: str | Path) -> None:
        """Write the restart file.

        The file is complete or not there; one that it replaces stays beside it as PATH.previous.
        Raises InputError where the file cannot be written; the old one is then untouched.
        """
        path = Path(path)
        ny, nx = self.land_use.shape
        try:
            if path.exists():
                _keep_previous(path)
        except OSError as error:
            raise InputError(
                f"{path}: cannot keep the restart that it replaces: {error.strerror}"
            ) from error
        write_netcdf(
            path,
            {"y": ny, "x": nx},
            [
                Variable(
                    "land_use",
                    ("y", "x"),
                    self.land_use,
                    {"long_name": f"class number in scheme {self.scheme}; {MASKED}: not known"},
                )
            ],
            {
                "title": "landstep restart",
                "landstep_restart_schema": np.int32(SCHEMA),
                "year": np.int32(self.year),
                "scheme": self.scheme,
                "grid_sha256": self.grid,
                "model_sha256": self.model,
                "provenance": json.dumps(self.provenance, sort_keys=True),
                "checksum": self.checksum,
            },
        )

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
                raise StateError(f"{path}: restart schema {schema}, need {SCHEMA}")
            state = cls(
                year=int(attributes["year"]),
                land_use=file.read("land_use").astype(np.uint8, copy=True),
                scheme=str(attributes["scheme"]),
                grid=str(attributes["grid_sha256"]),
                model=str(attributes["model_sha256"]),
                provenance=json.loads(attributes["provenance"]),
            )
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
