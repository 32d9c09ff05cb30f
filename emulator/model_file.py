"""A model file on the disk: read against its manifest, written with it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from landstep.emulator.atomic import replacing
from landstep.emulator.card import manifest_path, manifest_text, read_manifest
from landstep.emulator.errors import ModelError

LARGEST_BYTES = 2**31 - 1
"""What a protobuf can hold."""


def read_verified(path: Path) -> bytes:
    """Read a model file and hold it against its manifest.

    Raises ModelError where it is missing, empty, cut short, altered, or without its manifest.
    """
    try:
        if not path.exists():
            raise ModelError(f"model file not found: {path}")
        if not path.is_file():
            raise ModelError(f"{path}: not an ONNX model, it is a folder or a device")
        size = path.stat().st_size
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
    if not size:
        raise ModelError(f"{path}: model is empty (0 bytes); copy or export it again")
    if size > LARGEST_BYTES:
        raise ModelError(
            f"{path}: {size} bytes, not an ONNX model: the largest have {LARGEST_BYTES}"
        )
    manifest = read_manifest(path)
    content = _read(path, size)
    if len(content) != manifest["bytes"]:
        raise ModelError(
            f"{path}: size {len(content)}, manifest says {manifest['bytes']}; the file was cut "
            "short or replaced: copy or export it again"
        )
    found = hashlib.sha256(content).hexdigest()
    if found != manifest["sha256"]:
        raise ModelError(
            f"{path}: sha256 mismatch: expected {manifest['sha256']}, got {found}; the file was "
            "altered: copy or export it again"
        )
    return content


def _read(path: Path, size: int) -> bytes:
    """Read no more of a file than it said it has, and one byte."""
    try:
        with path.open("rb") as stream:
            return stream.read(size + 1)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error


def write_model(path: Path, content: bytes) -> None:
    """Write a model file and its manifest beside it, each of them whole or not there.

    Between the two, the manifest is the older one: then `read_verified` refuses the file.
    Raises InputError where they cannot be written.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(content)
    with replacing(manifest_path(path)) as temporary:
        temporary.write_text(manifest_text(path.name, content), "utf-8")
