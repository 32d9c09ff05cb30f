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
    """Variables that hold the longitudes and latitudes of the points.

    lon, lat : of the centres
    corner_lon, corner_lat : of the corners of a grid of rows and columns, one more of each, where
        the file has them
    """

    lon: str = "lon"
    lat: str = "lat"
    corner_lon: str = ""
    corner_lat: str = ""


class LegendTable(StrictTable):
    """A legend that a file may count in.

    names : that it goes by in the file
    table : the host table whose numbers it has
    numbers : attribute of the file -> the number that it must have there, where it has it: the
        class of water and the like
    """

    names: list[str]
    table: str
    numbers: dict[str, int] = {}


class ClassesTable(StrictTable):
    """The land-cover classes that the file counts in, where it says so.

    attribute : of the file, which names them
    legends : that landstep has a table for
    advice : what to do about a file of other classes
    """

    attribute: str
    legends: list[LegendTable]
    advice: str


class LandNumberTable(StrictTable):
    """A variable that numbers land and water, in files without a share of land.

    name : of the variable; land : its number on land; water : on water
    """

    name: str
    land: int
    water: int


class UnservedTable(StrictTable):
    """A variable that tells points which are none of the host's moving land, such as glaciers.

    name : of the variable; of several levels the first counts
    above : a point with more is not served
    number : a point with this number is not served
    """

    name: str
    above: float | None = None
    number: int | None = None


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
    levels : names of its dimension of plant types or the like: one field for each
    fields : the field of each level; empty: named FIELD_NUMBER
    numbers : the variable that numbers the levels; else they count from `first`
    others_stay : true where levels that the host's table lacks (water) keep their numbers, and the
        table's fields are shares of what the others hold
    required : false for one that a file may lack, and is then left out. Of several variables of
        one field it is enough to have one
    exact : true where the host refuses sums that float32 cannot hold: the variable is float64
    maximum : the variable that holds its largest value of all years
    parameter : paramId in a GRIB file; 0 in others
    tolerance : how much a number may differ in a GRIB file, from packing
    """

    name: str
    field: str
    types: bool = False
    months: str | None = None
    levels: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    numbers: str | None = None
    first: int = 0
    others_stay: bool = False
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

    table : the host table that gives the fields, unless `classes` names another
    long_name : the file in words
    kind : "netcdf" or "grib"
    places : where the points are, the first of these that the file has; GRIB says it itself
    years : variable that numbers the years of a series, one record each
    rest : a field that some of its files leave to be worked out
    land : variables with the share of the cell that is land, where the file has one: a point
        without any is not served
    land_parameter : the same in GRIB
    land_number : a variable that numbers land and water: a point of water is not served
    unserved : other points that are not served
    left : variables that stay as they are, though they speak of the land
    sea : variable with the percent of the cell that is sea, where the others count from the cell
        and landstep's from its land; those of the sum that `rest` is of
    source : where the names are from
    """

    table: str
    long_name: str
    kind: str = "netcdf"
    places: list[PlacesTable] = [PlacesTable()]
    classes: ClassesTable | None = None
    years: str | None = None
    rest: RestTable | None = None
    land: list[str] = []
    land_parameter: int = 0
    land_number: LandNumberTable | None = None
    unserved: list[UnservedTable] = []
    left: list[LeftTable] = []
    sea: str | None = None
    source: str
    variables: list[VariableTable] = Field(min_length=1)


SAME_FILES = {"noahmp": "wrf"}
"""Host -> the one whose files its own are like."""


def layout_names() -> list[str]:
    """Names of the hosts whose files landstep knows."""
    folder = resources.files(__package__) / FOLDER
    tables = [Path(entry.name).stem for entry in folder.iterdir() if entry.name[-5:] == ".toml"]
    return sorted([*tables, *SAME_FILES])


def layout_named(name: str) -> Layout:
    """Read the layout of a host's files.

    Raises ConfigError, with the name that was meant, for a host that has none.
    """
    known = layout_names()
    if name not in known:
        close = difflib.get_close_matches(name, known, 1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise ConfigError(f"no host file of {name!r}: {hint}there are {known}")
    table = f"{SAME_FILES.get(name, name)}.toml"
    with resources.as_file(resources.files(__package__) / FOLDER / table) as path:
        return read_table(path, Layout)
