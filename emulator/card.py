"""The model card inside an ONNX file, and the manifest beside it.

The card says what the network was made for, so that a run can refuse what does not fit; the
manifest pins the file's bytes.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from landstep.emulator.errors import ModelError
from landstep.emulator.strict_json import strict_json

METADATA_KEY = "landstep_card"
CARD_VERSION = 3

MANIFEST_BYTES = 2**16
"""More than a manifest takes."""

SHA256 = re.compile("[0-9a-fA-F]{64}")


class Category(BaseModel):
    """A categorical static: its codes run from 0 (sea) to size - 1."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    size: int = Field(ge=1, le=256)


class Weights(BaseModel):
    """What the allocation weighs, from so many years between prior and target on.

    years : the smallest such number
    stay_weight : a cell that goes back to class k, which it had in the last maps before the prior,
        gains the allocation p_k - stay_weight * p_stay
    new_weight : the same for a cell that goes to a class which it did not have then
    miss_price : what a soft quota pays for each cell missed, in the same unit
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    years: int = Field(ge=1)
    stay_weight: float = Field(default=1.0, ge=0, le=1)
    new_weight: float = Field(default=1.0, ge=0, le=1)
    miss_price: float = Field(default=0.1, ge=0)


def _rising(weights: list[Weights]) -> list[Weights]:
    years = [entry.years for entry in weights]
    if any(after <= before for before, after in zip(years, years[1:], strict=False)):
        raise ValueError(
            f"entries of years {years}, expected each to have more years than the last"
        )
    return weights


WeightsByLag = Annotated[list[Weights], Field(min_length=1), AfterValidator(_rising)]
"""Weights in the order of their years, which rise."""


class StepFigures(BaseModel):
    """One step from the same state, in fp32 and otherwise; shares of all land cells.

    year : to which; agreement : the same class in both; changed : by the fp32 step
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    year: int
    agreement: float = Field(ge=0, le=1)
    changed: float = Field(ge=0, le=1)


class DriftFigures(StepFigures):
    """A run beside the fp32 run since the same start: as of one step, `changed` since the start.

    area_difference : the largest difference of a class's area, as a share of the land's
    """

    area_difference: float = Field(ge=0)


class Gate(BaseModel):
    """What `landstep verify` found of this model on one provider, beside fp32 on the CPU.

    runs_on : what the bits depended on, as `Session.provenance` says
    reference_model : sha256 of the file that made the fp32 run
    years : first and last of the run; reproduced : share of land cells that fp32 on the CPU of the
        verifying environment gave as in the saved maps of the last year
    failed : the limits that it broke; date : ISO 8601
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    provider: str
    precision: str
    runs_on: dict[str, str]
    reference_model: str
    experiment: str
    years: tuple[int, int]
    reproduced: float = Field(ge=0, le=1)
    steps: list[StepFigures] = Field(min_length=1)
    drift: list[DriftFigures] = Field(min_length=1)
    passed: bool
    failed: list[str] = []
    date: str

    @property
    def one_step_agreement(self) -> float:
        """The lowest share of land cells that a single step gave the same class."""
        return min(step.agreement for step in self.steps)


class Card(BaseModel):
    """What a network takes, gives, was trained on, and how well it does.

    states : forcing states in channel order; continuous, categories : statics in channel order
    history : how many maps before the prior it takes, a year apart
    direction : the way in time that it was trained to step; lags : years between prior and target
        that it learned
    weights : what the allocation weighs, by the years between prior and target
    phase : day on which maps and forcing are valid
    scores : each with the model's figure and persistence's beside it
    gates : what was found of it on other providers and precisions
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    card_version: Literal[3] = 3
    name: str
    landstep_version: str
    scheme: str
    class_codes: list[int] = Field(min_length=1, max_length=255)
    class_names: list[str]
    states: list[str]
    continuous: list[str]
    categories: list[Category]
    base: int = Field(ge=1, le=1024)
    depth: int = Field(ge=1, le=8)
    history: int = Field(ge=1, le=255)
    direction: Literal["forward", "backward", "both"]
    lags: list[Annotated[int, Field(ge=1)]] = Field(min_length=1)
    weights: WeightsByLag = [Weights(years=1)]
    phase: str = "01-01"
    licence: str = "Apache-2.0"
    sources: list[str] = []
    training: dict[str, Any] = {}
    scores: list[dict[str, Any]] = []
    gates: list[Gate] = []

    def steps(self, direction: int) -> bool:
        """Tell whether it was trained to step that way in time, 1 or -1."""
        return self.direction in ("both", "forward" if direction > 0 else "backward")

    def weights_for(self, lag: int) -> Weights:
        """Give the weights for a lag: the entry of the most years not above it, else the first.

        lag : years between prior and target, 1 or more
        """
        reached = [entry for entry in self.weights if entry.years <= lag]
        return reached[-1] if reached else self.weights[0]

    @property
    def stride(self) -> int:
        """Window starts and sizes are multiples of this many cells."""
        return int(2**self.depth)

    @property
    def halo(self) -> int:
        """Cells a window must see beyond its core: the receptive field, up to the stride.

        Source: two 3x3 convolutions a level, with 2x2 max-pooling, reach 7 * 2^depth - 5 cells.
        """
        return -(-(7 * self.stride - 5) // self.stride) * self.stride

    def to_metadata(self) -> dict[str, str]:
        """Give the card as ONNX metadata."""
        return {METADATA_KEY: self.model_dump_json()}

    @classmethod
    def from_metadata(cls, metadata: dict[str, str], where: str) -> Card:
        """Read the card out of an ONNX file's metadata.

        Raises ModelError where there is none, or it is of another version or form.
        """
        if METADATA_KEY not in metadata:
            raise ModelError(
                f"{where}: no model card in its metadata; expected a file written by "
                "`landstep export`"
            )
        cause: ValueError
        try:
            strict_json(metadata[METADATA_KEY])
            return cls.model_validate_json(metadata[METADATA_KEY])
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            problem, cause = f"{place}: {first['msg']}", error
        except ValueError as error:
            problem, cause = str(error), error
        raise ModelError(
            f"{where}: model card is not one that this version reads (card version "
            f"{CARD_VERSION}): {problem}; export the model again"
        ) from cause


def manifest_path(model: Path) -> Path:
    """Where a model's manifest lies: beside it, MODEL.onnx.json."""
    return model.with_name(model.name + ".json")


def manifest_text(name: str, content: bytes) -> str:
    """Give what a manifest holds: the model file's name, size and sha256, and the card version."""
    record = {
        "file": name,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "card_version": CARD_VERSION,
    }
    return json.dumps(record, indent=1) + "\n"


def write_manifest(model: Path) -> Path:
    """Write the manifest of a model file beside it: name, size and sha256."""
    path = manifest_path(model)
    path.write_text(manifest_text(model.name, model.read_bytes()), "utf-8")
    return path


def read_manifest(model: Path) -> dict[str, Any]:
    """Read the manifest of a model file.

    returns : its record, with at least "bytes" and "sha256", in small letters
    Raises ModelError where it is missing or no manifest.
    """
    path = manifest_path(model)
    try:
        record = strict_json(small_text(path))
        size, sha256 = record["bytes"], record["sha256"]
        if type(size) is not int or size < 0:
            raise ValueError(f"bytes is {size!r}, expected a whole number")
        if not isinstance(sha256, str) or not SHA256.fullmatch(sha256):
            raise ValueError(f"sha256 is {sha256!r}, expected 64 hexadecimal digits")
    except FileNotFoundError as error:
        raise ModelError(
            f"{model}: its manifest {path.name} is missing; a model is only opened against the "
            "sha256 in it. `landstep export` writes both: copy both"
        ) from error
    except KeyError as error:
        raise ModelError(
            f"{path}: not a manifest (no {error}); `landstep export` writes it"
        ) from error
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(
            f"{path}: not a manifest ({error}); `landstep export` writes it"
        ) from error
    return {**record, "sha256": sha256.lower()}


def small_text(path: Path) -> str:
    """Read a text file that is a file, and small; ValueError for a folder, device, pipe or more.

    A pipe is never opened: it would be waited for.
    """
    if path.exists() and not path.is_file():
        raise ValueError("a folder, device or pipe, expected a file")
    if path.stat().st_size > MANIFEST_BYTES:
        raise ValueError(f"{path.stat().st_size} bytes, expected at most {MANIFEST_BYTES}")
    return path.read_text("utf-8")
