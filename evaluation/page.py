"""Pieces of a self-contained HTML page: tables, figures, sections."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from typing import Any

Cell = str | float | int | None
DASH = "\N{EN DASH}"


def number(value: Cell, places: int = 4) -> str:
    """Write a number for a table; an en dash where there is none."""
    if value is None:
        return DASH
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return f"{value:,}".replace(",", "\N{THIN SPACE}")
    return f"{value:.{places}f}"


def percent(share: float, places: int = 0) -> str:
    """Write a share as so many in a hundred."""
    return f"{100 * share:.{places}f} %"


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    *,
    best: Mapping[int, bool] | None = None,
    bar: Mapping[int, float] | None = None,
    places: int = 4,
) -> str:
    """Write a table; rows whose first cell begins with "model" stand out.

    best : column -> is a larger number better; the best one is set bold
    bar : column -> number below which a cell is marked
    """
    marks = {}
    for column, larger in (best or {}).items():
        values = [row[column] for row in rows]
        numbers = [float(v) for v in values if isinstance(v, int | float)]
        if len(set(numbers)) > 1:
            marks[column] = (max if larger else min)(numbers)
    lines = ["<tr>" + "".join(f"<th>{escape(name)}</th>" for name in head) + "</tr>"]
    for row in rows:
        cells = []
        for column, value in enumerate(row):
            kinds = []
            if isinstance(value, int | float):
                if column in marks and float(value) == marks[column]:
                    kinds.append("best")
                if bar and column in bar and float(value) < bar[column]:
                    kinds.append("below")
            of = f' class="{" ".join(kinds)}"' if kinds else ""
            cells.append(f"<td{of}>{escape(number(value, places))}</td>")
        of = ' class="model"' if str(row[0]).startswith("model") else ""
        lines.append(f"<tr{of}>" + "".join(cells) + "</tr>")
    return '<div class="scroll"><table>' + "\n".join(lines) + "</table></div>"


def figure(picture: bytes, caption: str) -> str:
    """Put a PNG into the page itself."""
    data = base64.b64encode(picture).decode("ascii")
    return (
        f'<figure><img alt="{escape(caption, quote=True)}" src="data:image/png;base64,{data}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def paragraph(text: str, kind: str = "") -> str:
    """Write a paragraph; `kind` is one of the style sheet's."""
    of = f' class="{kind}"' if kind else ""
    return f"<p{of}>{escape(text)}</p>"


def fold(title: str, body: str) -> str:
    """Put something behind a line that opens it."""
    return f"<details><summary>{escape(title)}</summary>{body}</details>"


def cards(entries: Sequence[tuple[str, str, bool]]) -> str:
    """Write large numbers: (number, what it is, is it as it should be)."""
    boxes = [
        f'<div class="card{"" if good else " below"}"><b>{escape(value)}</b>'
        f"<small>{escape(what)}</small></div>"
        for value, what, good in entries
    ]
    return '<div class="cards">' + "".join(boxes) + "</div>"


@dataclass(frozen=True)
class Section:
    """A section: its title, its HTML, and what stands at its title, tables and figures."""

    title: str
    body: str
    remark: str = ""

    def html(self, anchor: str) -> str:
        """Write it, with the remark wherever numbers stand."""
        if not self.remark:
            return f'<h2 id="{anchor}">{escape(self.title)}</h2>\n{self.body}'
        said = escape(self.remark)
        body = self.body.replace("<table>", f"<table><caption>{said}</caption>")
        body = body.replace("<figcaption>", f"<figcaption><em>{said}</em> \N{MIDDLE DOT} ")
        return f'<h2 id="{anchor}">{escape(self.title)} <small>{said}</small></h2>\n{body}'


def section(title: str, *body: str) -> Section:
    """Put a section together."""
    return Section(title, "\n".join(part for part in body if part))


def page(title: str, lead: str, top: str, sections: Sequence[Section]) -> str:
    """Put a page together; nothing in it points outside.

    lead : a line below the title; top : HTML before the sections
    """
    style = resources.files("landstep.evaluation").joinpath("report.css").read_text("utf-8")
    links = [f'<a href="#part{n}">{escape(one.title)}</a>' for n, one in enumerate(sections)]
    parts = [one.html(f"part{n}") for n, one in enumerate(sections)]
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>\n{style}</style></head><body>",
            f"<h1>{escape(title)}</h1>",
            paragraph(lead, "lead"),
            top,
            "<nav>" + "".join(links) + "</nav>",
            *parts,
            "</body></html>\n",
        ]
    )


def columns(entry: Mapping[str, Any], keys: Sequence[str]) -> list[Cell]:
    """Take some of an entry's numbers, None where it lacks one."""
    return [entry.get(key) for key in keys]
