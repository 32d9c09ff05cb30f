"""Models that come with the package, by name: "builtin:world"."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from landstep.emulator.errors import ConfigError

PREFIX = "builtin:"


def builtin_models() -> dict[str, Path]:
    """Name and path of each model that came with the package, in order of their names."""
    folder = Path(str(resources.files("landstep.emulator"))) / "models"
    return {path.stem: path for path in sorted(folder.glob("*.onnx"))}


def builtin_path(model: str) -> Path | None:
    """Path of the model that "builtin:NAME" stands for; None where `model` is no such name.

    Raises ConfigError where no model of that name came with the package.
    """
    if not model.startswith(PREFIX):
        return None
    there, name = builtin_models(), model.removeprefix(PREFIX)
    if name not in there:
        raise ConfigError(f"model {model!r} does not come with landstep; there are {list(there)}")
    return there[name]
