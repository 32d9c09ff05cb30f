"""What is known of a land-use product beforehand, and scores on its maps cannot show."""

from __future__ import annotations

from dataclasses import dataclass

from landstep.evaluation.case import Case

AHEAD = (
    "Filters over time look ahead in some products, so that the map of the year before the prior "
    "may know of the target."
)
"""Why the map of the year before is withheld, where nothing is known of the product."""


@dataclass(frozen=True)
class Product:
    """A product of yearly land-use maps.

    word : how the attribute `source` of its files names it
    one_year : what must be said of scores over one year; "" for nothing
    ahead : what its maps know of the years after them
    """

    word: str
    one_year: str = ""
    ahead: str = AHEAD


PRODUCTS = (
    # Source: Winkler et al. 2021, doi:10.1038/s41467-021-22702-2, a reconstruction out of several
    # products; its change in southern Sweden counts 125, 125 and 132, 132 cells in successive years
    Product(
        "HILDA+ vGLOB-1.0",
        one_year="HILDA+ is a reconstruction, partly interpolated, whose yearly changes repeat: "
        "scores over one year carry no claim.",
    ),
    # Source: Souza et al. 2020, doi:10.3390/rs12172735, temporal filter over three to five years
    Product(
        "MapBiomas",
        ahead="MapBiomas filters its maps over time, and its filters look forward: the maps up to "
        "the prior may know of the target. So scores are repeated with the map of the year before "
        "the prior withheld.",
    ),
)


def product_of(source: str) -> Product:
    """Give the product that a land-use file names as its source; one without cautions if none."""
    return next((one for one in PRODUCTS if one.word in source), Product(""))


def caution(case: Case, before: int, after: int) -> dict[str, str]:
    """Give what must be said of a pair of years as {"caution": text}; empty for nothing."""
    said = product_of(case.source).one_year if abs(after - before) == 1 else ""
    return {"caution": said} if said else {}
