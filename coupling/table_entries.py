"""Entries of a host's table: covers, what each class is in them, the fields that it takes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, FiniteFloat

from landstep.emulator.tables import StrictTable

Name = Annotated[str, Field(min_length=1)]
Rule = Literal["fraction", "type", "mean", "monthly_type", "monthly_mix"]
Season = Literal["step", "ecland", "ctsm", "noahmp", "mean_preserving"]


class CoverEntry(StrictTable):
    """Something that a host's land can be covered with.

    type : the host's number of it; None where it has none
    properties : numbers that belong to it, SI; "cover", "lai" and "k" make its effective cover
    source : of the type and of every property but those in `sources`
    """

    name: Name
    type: int | None = None
    properties: dict[str, FiniteFloat] = {}
    source: Name
    sources: dict[str, Name] = {}


class RowEntry(StrictTable):
    """What some classes are in some zone groups: shares of covers that sum to 1."""

    classes: list[str] = Field(min_length=1)
    zones: list[str] | Literal["*"]
    covers: dict[str, FiniteFloat] = Field(min_length=1)
    source: Name


class FieldEntry(StrictTable):
    """A field that the host takes; which keys it has depends on its rule (table_checks.py).

    denominator : "cell", "land", "vegetated", "landunit:SET"; "" for what is no share
    covers : names of covers or sets
    whole : a fraction that is 0 or all
    of_type, of_cover : fields that it goes with
    largest_of : of a type, the beginning of the names of the fractions that it is the largest of:
        the others have the number of their cover's type behind it, after "_"
    fill : value where the denominator has no area
    attributes : for host files, such as a GRIB paramId
    """

    name: Name
    long_name: Name
    standard_name: str = ""
    units: str
    rule: Rule
    denominator: str | None = None
    covers: list[str] | None = None
    property: str | None = None
    average: Literal["arithmetic", "log", "reciprocal"] | None = None
    scale: FiniteFloat | None = Field(default=None, gt=0)
    whole: bool | None = None
    of_type: str | None = None
    of_cover: str | None = None
    largest_of: str | None = None
    season: Season | None = None
    fill: FiniteFloat
    bounds: tuple[FiniteFloat, FiniteFloat]
    schedule: Literal["annual", "monthly"] = "annual"
    attributes: dict[str, str | int] = {}
    source: Name


class SumEntry(StrictTable):
    """Fields that share a denominator, and sum to its whole or at most to that.

    gives_way : where the sum is too large: "all" are scaled, or the "last" is cut first
    tolerance : of a sum "exactly", how far in parts of the total the host's own code lets it be off
    """

    fields: list[str] = Field(min_length=1)
    total: Literal[1, 100]
    kind: Literal["exactly", "at_most"]
    gives_way: Literal["all", "last"] = "all"
    tolerance: FiniteFloat = Field(default=0.0, ge=0)
    source: Name


class HostTable(StrictTable):
    """All that landstep knows of a host; made by `host_table`, which checks it.

    name : the file's name without its ending
    schemes : class schemes that the rows are complete for
    albedo : sets of fields, of which the host must give one as a baseline before it gets any other;
        empty for a host that keeps no albedo of its own
    ice_apart : the host's ice is another thing than its bare ground, in which no class tells it
    sets : named sets of covers, and of sets that stand before them
    """

    name: str
    title: Name
    source: Name
    schemes: list[str] = Field(min_length=1)
    albedo: list[list[str]] = []
    ice_apart: bool = False
    sets: dict[str, list[str]]
    cover: list[CoverEntry] = Field(min_length=1)
    row: list[RowEntry] = Field(min_length=1)
    field: list[FieldEntry] = Field(min_length=1)
    sum: list[SumEntry] = []

    @property
    def cover_names(self) -> list[str]:
        """Names of the covers, in the order of the file."""
        return [cover.name for cover in self.cover]

    def field_named(self, name: str) -> FieldEntry | None:
        """Find the entry of a field; None where there is none of that name."""
        return next((entry for entry in self.field if entry.name == name), None)

    def numbers_of(self, covers: list[str]) -> list[int]:
        """Numbers of covers, given by names of covers and of sets, in the order of the list."""
        return [self.cover_names.index(name) for name in self._members(covers)]

    def _members(self, covers: list[str]) -> list[str]:
        """Names of the covers in a list of covers and sets, each once."""
        members: list[str] = []
        for name in covers:
            if name == "cell":
                members += self.cover_names
            else:
                members += self._members(self.sets[name]) if name in self.sets else [name]
        return list(dict.fromkeys(members))

    def denominator_numbers(self, denominator: str) -> list[int]:
        """Numbers of the covers whose area a share is taken of."""
        return self.numbers_of([denominator.removeprefix("landunit:")])

    def field_numbers(self, entry: FieldEntry) -> list[int]:
        """Numbers of the covers that a field is made of."""
        if entry.covers is not None:
            return self.numbers_of(entry.covers)
        if entry.denominator is not None:
            return self.denominator_numbers(entry.denominator)
        of_type = self.field_named(entry.of_type or "")
        return self.field_numbers(of_type) if of_type else []
