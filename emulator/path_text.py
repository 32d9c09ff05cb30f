"""Text of a file that stands for a path: what no operating system would take is named here."""

from __future__ import annotations

LONGEST_PATH, LONGEST_NAME = 4095, 255
"""Bytes. Source: Linux, limits.h, PATH_MAX (with the closing zero) and NAME_MAX."""


def path_problem(text: str) -> str:
    """Say why a text cannot be a path; "" where it can."""
    for place, letter in enumerate(text):
        if ord(letter) < 32 or ord(letter) == 127 or 0xD800 <= ord(letter) < 0xE000:
            return f"a path cannot hold the character {letter!r} (at place {place})"
    if not text.strip():
        return "expected a path, found blanks" if text else "expected a path, found an empty text"
    length = len(text.encode())
    if length > LONGEST_PATH:
        return f"a path of {length} bytes, expected at most {LONGEST_PATH}"
    longest = max(len(name.encode()) for name in text.split("/"))
    if longest > LONGEST_NAME:
        return f"a file name of {longest} bytes, expected at most {LONGEST_NAME}"
    return ""
