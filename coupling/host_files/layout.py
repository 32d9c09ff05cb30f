"""Where the files of a host hold its points and fields: a TOML table for each, read and checked."""

from __future__ import annotations

import difflib
from importlib import resources
from pathlib import Path

from pydantic import Field

from landstep.emulator.errors import ConfigError
from landstep.emulator.tables import StrictTable, read_table

FOLDER = "layouts"

SMALLEST_LAND = 1e-3
"""Share of a host's cell above which it has land: less comes from packing alone. Ours."""


class PlacesTable(StrictTable):
    """Variables that hold the longitudes and latitudes of the points."""

    lon: str = "lon"
    lat: str = "lat"


class ClassesTable(StrictTable):
    """The land-cover classes that the file counts in, where it says so.

    attribute : of the file, which names them
    accepted : names of the classes that landstep's numbers are of
    advice : what to do about a file of other classes
    numbers : attribute of the file -> the number that it must have there, where it has it: the
        class of water and the like
    """

    attribute: str
    accepted: list[str]
    advice: str
    numbers: dict[str, int] = {}


class LandNumberTable(StrictTable):
    """A variable that numbers land and water, in files without a share of land.

    name : of the variable; land : its number on land; water : on water
    """

    name: str
    land: int
    water: int


class LeftTable(StrictTable):
    """A variable of the land that landstep does not update.

    name : of the variable; why : in words, for whoever reads what was done
    """

    name: str
    why: str


class VariableTable(StrictTable):
    """A variable, or a GRIB parameter, that holds a field.

    name : of the variable in the file
    field : of the host's table
    types : true for numbers of classes, which are whole and never rounded to others
    months : its dimension of twelve months, January first
    levels : its dimension of plant types or the like, one field each, named FIELD_NUMBER
    numbers : the variable that numbers the levels; else they count from `first`
    required : false for one that a file may lack, and is then left out
    exact : true where the host refuses sums that float32 cannot hold: the variable is float64
    maximum : the variable that holds its largest value of all years
    parameter : paramId in a GRIB file; 0 in others
    tolerance : how much a number may differ in a GRIB file, from packing
    """

    name: str
    field: str
    types: bool = False
    months: str | None = None
    levels: str | None = None
    numbers: str | None = None
    first: int = 0
    required: bool = True
    exact: bool = False
    maximum: str | None = None
    parameter: int = 0
    tolerance: float = 0.0


class RestTable(StrictTable):
    """What the fields of a sum leave, where the file does not hold it.

    field : that is the rest; zero : fields of the same sum that are then part of it
    """

    field: str
    zero: list[str]


class Layout(StrictTable):
    """How a host's boundary file is laid out.

    table : the host table that gives the fields
    long_name : the file in words
    kind : "netcdf" or "grib"
    places : where the points are; GRIB says it itself
    years : variable that numbers the years of a series, one record each
    rest : a field that some of its files leave to be worked out
    land : variable, or in GRIB parameter, with the share of the cell that is land, where the file
        has it: a point without any is not served
    land_number : a variable that numbers land and water: a point of water is not served
    left : variables that stay as they are, though they speak of the land
    sea : variable with the percent of the cell that is sea, where the others count from the cell
        and landstep's from its land; those of the sum that `rest` is of
    source : where the names are from
    """

    table: str
    long_name: str
    kind: str = "netcdf"
    places: PlacesTable = PlacesTable()
    classes: ClassesTable | None = None
    years: str | None = None
    rest: RestTable | None = None
    land: str | int | None = None
    land_number: LandNumberTable | None = None
    left: list[LeftTable] = []
    sea: str | None = None
    source: str
    variables: list[VariableTable] = Field(min_length=1)


def layout_names() -> list[str]:
    """Names of the hosts whose files landstep knows."""
    folder = resources.files(__package__) / FOLDER
    return sorted(Path(entry.name).stem for entry in folder.iterdir() if entry.name[-5:] == ".toml")


def layout_named(name: str) -> Layout:
    """Read the layout of a host's files.

    Raises ConfigError, with the name that was meant, for a host that has none.
    """
    known = layout_names()
    if name not in known:
        close = difflib.get_close_matches(name, known, 1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise ConfigError(f"no host file of {name!r}: {hint}there are {known}")
    with resources.as_file(resources.files(__package__) / FOLDER / f"{name}.toml") as path:
        return read_table(path, Layout)
