"""The table of a host's fields, for its page in the docs, from the data file itself.

`python -m landstep.coupling.field_docs docs/hosts` renews the tables of all pages.
"""

from __future__ import annotations

import sys
from pathlib import Path

from landstep.coupling.host_table import host_table
from landstep.coupling.table_entries import FieldEntry, HostTable
from landstep.emulator.errors import InputError

MOST_NAMED = 6
"""Of larger land units a line says only how many covers they have."""

HEADER = "| field | meaning | units | share of | range | schedule | source |"


def field_table(table: HostTable) -> str:
    """Write a host's fields as a table in Markdown, one line a field, in the order of its file."""
    lines = [HEADER, "|---|---|---|---|---|---|---|"]
    lines += [_line(table, entry) for entry in table.field]
    return "\n".join(lines) + "\n"


def renewed(page: Path) -> str:
    """Give a host's page, NAME.md, with the table of that host's fields between its marks.

    Raises InputError for a page without the marks <!-- fields:NAME --> and <!-- /fields -->,
    ConfigError for one of no host.
    """
    text, begin, end = page.read_text("utf-8"), f"<!-- fields:{page.stem} -->\n", "<!-- /fields -->"
    before, has_begin, rest = text.partition(begin)
    _, has_end, after = rest.partition(end)
    if not (has_begin and has_end):
        raise InputError(f"{page}: expected the lines {begin.strip()} and {end}")
    return before + begin + field_table(host_table(page.stem, page.parent)) + end + after


def _line(table: HostTable, entry: FieldEntry) -> str:
    low, high = entry.bounds
    kind = "whole numbers " if entry.rule == "type" else ""
    schedule = entry.schedule if entry.season is None else f"{entry.schedule}, {entry.season}"
    cells = [
        f"`{entry.name}`",
        entry.long_name,
        entry.units,
        _denominator(table, entry.denominator or ""),
        f"{kind}{low:g} to {high:g}",
        schedule,
        entry.source,
    ]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _denominator(table: HostTable, denominator: str) -> str:
    """The denominator in words: a land unit with the covers that it consists of."""
    if not denominator.startswith("landunit:"):
        return denominator
    name = denominator.removeprefix("landunit:")
    members = table.sets[name]
    named = ", ".join(members) if len(members) <= MOST_NAMED else f"{len(members)} covers"
    return f"{name} ({named})"


if __name__ == "__main__":
    for path in sorted(Path(sys.argv[1]).glob("*.md")):
        path.write_text(renewed(path), "utf-8")
