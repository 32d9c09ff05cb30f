"""Names of maps in a user's file: "FILE" or "FILE:variable", where FILE may hold colons."""

from __future__ import annotations

import os
from pathlib import Path


def split_source(folder: Path, entry: str) -> tuple[Path, str | None]:
    """Split an entry into path and variable (None where it is not named).

    A file that is there is that file, also with colons in its name, as WRF's are. Else the longest
    part before a colon that is a file is the file. Where there is none, the last colon splits.

    folder : that the entry is relative to
    """
    if os.path.exists(folder / entry):
        return folder / entry, None
    colons = [at for at, mark in enumerate(entry) if mark == ":" and at]
    if not colons:
        return folder / entry, None
    files = [at for at in colons if os.path.exists(folder / entry[:at])]
    end = (files or colons)[-1]
    return folder / entry[:end], entry[end + 1 :] or None
