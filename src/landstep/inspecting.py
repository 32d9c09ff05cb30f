"""What `landstep inspect` says of anything: by what a file holds, not by its name."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from landstep.emulator.builtin import builtin_path
from landstep.emulator.errors import ConfigError, DependencyError, InputError, LandstepError
from landstep.emulator.inspection import describe, lines_of
from landstep.emulator.legs import RESTARTS
from landstep.emulator.run_folder import RECORD, read_record
from landstep.emulator.state import State, previous_path
from landstep.emulator.tables import StrictTable
from landstep.emulator.toml_file import read_toml, short
from landstep.extras import how_to_get

_MAP = re.compile(r"land_use_(-?\d+)\.nc")
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_MOST_NAMES = 12


def describe_any(path: Path) -> str:
    """Describe a file or folder, as lines of text.

    path : "builtin:NAME" is a model that came with the package
    Raises LandstepError's family, with the path, for what is missing, damaged, or of no kind that
    landstep reads.
    """
    path = builtin_path(str(path)) or path
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            return _folder(path)
        if not stat.S_ISREG(mode):
            raise InputError(f"{path}: a device, fifo or socket, expected a file or a folder")
        with open(path, "rb") as stream:
            head = stream.read(16)
    except FileNotFoundError:
        raise InputError(f"{path}: not found; check the path") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{str(path)!r}: not a path: {error}") from error
    if head[:4] in _TIFF:
        return _geotiff(path)
    if head[:4] == b"GRIB":
        return _grib(path)
    if path.suffix == ".toml":
        return _toml(path)
    return describe(path)


def _folder(path: Path) -> str:
    """Describe the folder of a run; of any other say what lies in it."""
    names = sorted(entry.name for entry in path.iterdir())
    if RECORD not in names:
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        held = ", ".join(names[:_MOST_NAMES]) + more if names else "nothing"
        raise InputError(
            f"{path}: a folder, but not of `landstep run` (no {RECORD}); it holds {held}; name one "
            "of its files"
        )
    record = read_record(path / RECORD)
    years = sorted(int(found[1]) for name in names if (found := _MAP.fullmatch(name)))
    pairs: list[tuple[str, object]] = [
        ("run of", short(record.get("experiment"))),
        ("start", record.get("start")),
        ("model sha256", record.get("model_sha256")),
        ("maps", spans(years)),
    ]
    settings = record.get("settings")
    if isinstance(settings, dict):
        pairs += [("forcing", json.dumps(settings.get("forcing", {}).get("files")))]
    for name in RESTARTS:
        for file in (path / name, previous_path(path / name)):
            if file.exists():
                pairs.append((file.name, _restart(file)))
    if not any(name in names for name in RESTARTS):
        pairs.append(("restart", "none yet"))
    return lines_of(*pairs)


def _restart(path: Path) -> str:
    try:
        return f"of {State.load(path).year}, its checksum holds"
    except LandstepError as error:
        return f"DAMAGED: {error}"


def spans(years: Iterable[int]) -> str:
    """Put years into words: "2015 to 2018, 2020 to 2030"."""
    found: list[list[int]] = []
    for year in years:
        if found and year == found[-1][1] + 1:
            found[-1][1] = year
        else:
            found.append([year, year])
    words = [f"{a} to {b}" if a < b else str(a) for a, b in found]
    return ", ".join(words) if words else "none"


def _geotiff(path: Path) -> str:
    try:
        from landstep.data.raster_facts import raster_facts
    except ImportError as error:
        raise DependencyError(
            f"{path}: a GeoTIFF, and rasterio is not installed: {how_to_get('rasterio')}"
        ) from error
    return lines_of(*raster_facts(path))


def _grib(path: Path) -> str:
    from landstep.coupling.host_files.grib_library import read_messages

    messages = read_messages(path)
    pairs: list[tuple[str, object]] = [("GRIB", f"{len(messages)} messages")]
    for number, message in enumerate(messages[:_MOST_NAMES], 1):
        about = f"paramId {message.parameter}, month {message.month}, grid {message.grid}"
        pairs.append((f"message {number}", f"{about}, {message.values.size} points"))
    if len(messages) > _MOST_NAMES:
        pairs.append(("...", f"and {len(messages) - _MOST_NAMES} more"))
    return lines_of(*pairs)


def _toml(path: Path) -> str:
    """Describe an experiment; of landstep's other tables say which one it is, and that it holds."""
    values = read_toml(path)
    kind = _kind_of(values)
    if kind == "experiment":
        return describe(path)
    table: StrictTable | None = None
    if kind == "sources":
        from landstep.data.prepare_config import load_sources

        table = load_sources(path)
    if kind == "training":
        from landstep.training.config import load_config

        table = load_config(path)
    if kind == "host table":
        from landstep.coupling.host_table import host_table

        table = host_table(str(path.absolute()), path.parent)
    if table is None:
        raise ConfigError(
            f"{path}: TOML, but no experiment, file of sources, training file or host table: its "
            f"keys are {short(sorted(values))}; an experiment has [land_use], [forcing], [statics]"
        )
    words = {"sources": "landstep prepare", "training": "landstep train", "host table": "a host"}
    pairs: list[tuple[str, object]] = [(kind, f"for {words[kind]}; every key is known")]
    for key, value in values.items():
        text = short(value) if not isinstance(value, dict) else ", ".join(map(str, value))
        if isinstance(value, list) and value and isinstance(value[0], dict):
            text = f"{len(value)} entries"
        pairs.append((key, text))
    return lines_of(*pairs)


def _kind_of(values: dict[str, Any]) -> str:
    """Tell a table by the keys that only it has."""
    land_use = values.get("land_use")
    if isinstance(land_use, dict) and "files" in land_use and "file" not in land_use:
        return "sources"
    if {"land_use", "forcing", "statics"} & values.keys():
        return "experiment"
    if "data" in values and {"output", "fit", "network", "samples"} & values.keys():
        return "training"
    if {"row", "field"} <= values.keys():
        return "host table"
    return "unknown"
