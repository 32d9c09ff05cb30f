"""Invariant 18: a refusal names the file, the variable, and what was found in it.

Each case makes one thing wrong in a copy of a valid file, and asks for these facts in the message;
the words around them are free.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from landstep.emulator.errors import LandstepError

from . import readers
from .driver import REPOSITORY
from .netcdf_edits import Content, read_content, write_content
from .readers import World

ROOMS = ("emulator", "data", "coupling", "evaluation", "training", "export", "src/landstep")

READERS = {
    "states_history.nc": (readers.forcing, "primf"),
    "hildaplus.nc": (readers.land_use, "LULC_states"),
    "topography.nc": (readers.static("elevation"), "elevation"),
    "soil.nc": (readers.static("soil_texture"), "soil_texture"),
    "zones.nc": (readers.static("climate_zone"), "climate_zone"),
    "climate.nc": (readers.climate, "air_temperature"),
}

Change = Callable[[Content, str], None]


@pytest.fixture(scope="module")
def opened(world: Path) -> World:
    """The made-up world, whose inputs are opened once."""
    return World(world)


def refusal(opened: World, name: str, change: Change) -> str:
    """Write a copy of a file with one thing changed, read it, and return what is said."""
    read, variable = READERS[name]
    content = read_content(opened.folder / name)
    change(content, variable)
    path = opened.folder / f"changed_{name}"
    write_content(content, path)
    with pytest.raises(LandstepError) as caught:
        read(path, opened)
    return str(caught.value)


def as_text(content: Content, variable: str) -> None:
    content.variables[variable].kind = "str"


def as_compound(content: Content, variable: str) -> None:
    content.variables[variable].kind = "compound"


def without_it(content: Content, variable: str) -> None:
    del content.variables[variable]


def transposed(content: Content, variable: str) -> None:
    held = content.variables[variable]
    held.dims = (*held.dims[:-2], held.dims[-1], held.dims[-2])
    held.data = np.swapaxes(held.data, -1, -2).copy()


def one_dimension(content: Content, variable: str) -> None:
    held = content.variables[variable]
    content.dims["place"] = held.data.size
    held.dims, held.data = ("place",), held.data.ravel()


def latitude_missing(content: Content, variable: str) -> None:
    held = content.variables[content.variables[variable].dims[-2]]
    held.data = np.full(held.data.shape, np.nan, held.data.dtype)


def south(name: str) -> str:
    """Return what the latitude of a file is called."""
    return "lat" if name in ("states_history.nc", "climate.nc") else "latitude"


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize(
    "change",
    [as_text, as_compound, without_it, transposed, one_dimension],
    ids=lambda change: change.__name__,
)
def test_the_file_and_the_variable_are_named(opened: World, name: str, change: Change) -> None:
    said = refusal(opened, name, change)
    assert f"changed_{name}" in said and READERS[name][1] in said, said


@pytest.mark.parametrize("name", READERS)
def test_a_coordinate_that_is_missing_is_named(opened: World, name: str) -> None:
    said = refusal(opened, name, latitude_missing)
    assert f"changed_{name}, {south(name)}" in said, said


@pytest.mark.parametrize("name", ["states_history.nc", "topography.nc", "climate.nc"])
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(units=st.text("abcdefghij", min_size=3, max_size=9))
def test_a_unit_that_is_none_is_named(opened: World, name: str, units: str) -> None:
    def change(content: Content, variable: str) -> None:
        content.variables[variable].attrs["units"] = units

    said = refusal(opened, name, change)
    assert f"changed_{name}" in said and READERS[name][1] in said and units in said, said


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("states_history.nc", st.floats(1.5, 80)),
        ("hildaplus.nc", st.sampled_from([3, 8, 90, 200])),
        ("topography.nc", st.floats(9500, 5e4)),
        ("soil.nc", st.integers(8, 200)),
        ("climate.nc", st.floats(600, 5000)),
    ],
)
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_value_that_cannot_be_is_named(
    opened: World, name: str, values: st.SearchStrategy[float], data: st.DataObject
) -> None:
    """With its file and variable; of the forcing, whose states are summed, with the year."""
    value = data.draw(values)

    def change(content: Content, variable: str) -> None:
        held = content.variables[variable]
        held.data = np.full(held.data.shape, value).astype(held.data.dtype)

    said = refusal(opened, name, change)
    shown = np.asarray(value, "f4" if isinstance(value, float) else None)
    found = [
        f"{shown:g}",
        f"{shown:.4g}",
        str(value),
        f"{shown:.6g}",
        f"{shown:.3g}",
        f"{shown:.2f}",
    ]
    place = "year" if name == "states_history.nc" else READERS[name][1]
    assert f"changed_{name}" in said and place in said, said
    assert any(each in said for each in found), (value, said)


@pytest.mark.parametrize("room", ROOMS)
def test_what_is_said_of_data_holds_something_that_was_found(room: str) -> None:
    """No InputError, StateError or CheckError is raised with a text that is always the same."""
    fixed = []
    for path in sorted((REPOSITORY / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                kind = ast.unparse(node.exc.func)
                parts = [p for a in node.exc.args for p in ast.walk(a)]
                tells = any(isinstance(p, ast.FormattedValue | ast.Name | ast.Call) for p in parts)
                if kind in ("InputError", "StateError", "CheckError") and not tells:
                    fixed.append(f"{path.name}:{node.lineno}: {ast.unparse(node.exc)}")
    assert not fixed
