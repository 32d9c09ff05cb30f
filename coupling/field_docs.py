"""The table of a host's fields, for its page in the docs, from the data file itself."""

from __future__ import annotations

from landstep.coupling.table_entries import FieldEntry, HostTable

HEADER = "| field | meaning | units | share of | range | schedule | source |"


def field_table(table: HostTable) -> str:
    """Write a host's fields as a table in Markdown, one line a field, in the order of its file."""
    lines = [HEADER, "|---|---|---|---|---|---|---|"]
    lines += [_line(table, entry) for entry in table.field]
    return "\n".join(lines) + "\n"


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
    """The denominator in words: a land unit with what it consists of."""
    if not denominator.startswith("landunit:"):
        return denominator
    name = denominator.removeprefix("landunit:")
    return f"{name} ({', '.join(table.sets[name])})"
