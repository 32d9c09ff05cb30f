"""A restart whose parts are not what they must be is refused by file, variable and what was found.

Faults 60 and 62, invariant 18: what is refused here has no damaged byte.
"""

import json

import netCDF4
import numpy as np
import pytest

from landstep.emulator.climate import Climate
from landstep.emulator.errors import StateError
from landstep.emulator.kept import Kept
from landstep.emulator.restart_checks import notes_attribute
from landstep.emulator.state import State


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Write a restart with a host's climate and kept arrays."""
    maps = np.arange(35, dtype=np.uint8).reshape(5, 7) % 8
    debt = np.zeros((3, 2, 2), np.int64)
    climate = Climate(("air_temperature",), 2000, (np.full((1, 12, 2, 2), 280, np.float32),))
    kept = Kept({"index": np.arange(3)}, {"settings": {"host": "ecland"}})
    state = State(
        2001, maps, (maps, maps), 1, 2000, debt, debt.astype(np.uint8), "hilda8", "g", "m",
        {"landstep": "0.1.0"}, climate=climate, kept=kept,
    )  # fmt: skip
    path = tmp_path_factory.mktemp("restart") / "whole.nc"
    state.save(path)
    assert State.load(path).checksum == state.checksum
    return path


def copied(whole, path, *, drop=(), replace=None, attributes=None, of_climate=None):
    """Write a restart anew with netCDF4, some of it otherwise.

    replace : name -> (dims with sizes, type or None for no such variable)
    attributes, of_climate : name -> value, or None to leave it out
    """
    replace = replace or {}
    with netCDF4.Dataset(whole) as of, netCDF4.Dataset(path, "w") as to:
        of.set_auto_maskandscale(False)
        for name, dim in of.dimensions.items():
            to.createDimension(name, dim.size)
        for name in of.variables.keys() - set(drop):
            variable, values = of[name], of[name][...]
            dims, kind = variable.dimensions, variable.dtype
            if name in replace:
                sizes, kind = replace[name]
                dims = tuple(f"new_{name}_{number}" for number in range(len(sizes)))
                for dim, size in zip(dims, sizes, strict=True):
                    to.createDimension(dim, size)
                values = np.full(sizes, "x", object) if kind is str else np.ones(sizes, kind)
            written = to.createVariable(name, kind, dims)
            written.set_auto_maskandscale(False)
            written[...] = values
            own = {key: variable.getncattr(key) for key in variable.ncattrs()}
            put(written, own | (of_climate or {} if name == "climate" else {}))
        put(to, {key: of.getncattr(key) for key in of.ncattrs()} | (attributes or {}))
    return path


def put(owner, attributes):
    """Set attributes that have a value."""
    for name, value in attributes.items():
        if value is not None:
            owner.setncattr(name, value)


def test_a_copy_with_nothing_changed_loads(whole, tmp_path):
    """So that what is refused below is refused for its change."""
    assert State.load(copied(whole, tmp_path / "r.nc")).checksum == State.load(whole).checksum


@pytest.mark.parametrize("name", ["land_use", "history", "debt", "debt_years"])
def test_an_array_that_is_missing_or_of_another_kind_is_named(whole, tmp_path, name):
    """With the file, what was found and what was expected."""
    path = tmp_path / "r.nc"
    with pytest.raises(StateError, match=rf"r\.nc: .*{name} is missing"):
        State.load(copied(whole, path, drop=[name]))
    shape = State.load(whole)._shape(name)
    for sizes, kind in (
        ((), "u1"), ((5,), "u1"), ((1, 1, 1, 1), "u1"), (shape, "f8"), (shape, str), (shape, "i2"),
    ):  # fmt: skip
        path.unlink()
        copied(whole, path, replace={name: (sizes, kind)})
        with pytest.raises(StateError, match=rf"r\.nc: .*{name} is .* expected .*\("):
            State.load(path)


def test_sizes_that_do_not_belong_together_are_named(whole, tmp_path):
    """Before any of it is read: a damaged size could ask for all memory."""
    for number, (name, sizes, words) in enumerate(
        (
            ("history", (2, 5, 8), "history: x has size 8, elsewhere 7"),
            ("debt", (3, 9, 2), "debt_years: coarse_y has size 2, elsewhere 9"),
            ("land_use", (1, 1), "history: y has size 5, elsewhere 1"),
        )
    ):
        kind = "i8" if name == "debt" else "u1"
        path = copied(whole, tmp_path / f"{number}.nc", replace={name: (sizes, kind)})
        with pytest.raises(StateError, match=words):
            State.load(path)
    many = {"debt": ((3, 70000, 2), "i8"), "debt_years": ((3, 70000, 2), "u1")}
    path = copied(whole, tmp_path / "many.nc", replace=many)
    with pytest.raises(StateError, match="debt is on 140000 coarse cells, expected 1 to 4096"):
        State.load(path)


@pytest.mark.parametrize("name", ["year", "direction", "anchor"])
@pytest.mark.parametrize("value", ["2001", 2001.0, [2001, 2002], None, "x"], ids=repr)
def test_a_year_that_is_no_whole_number_is_named(whole, tmp_path, name, value):
    """Text and floats, too: a float year was written once."""
    path = copied(whole, tmp_path / "r.nc", attributes={name: value})
    with pytest.raises(StateError, match=rf"r\.nc: .*attribute {name} is"):
        State.load(path)


@pytest.mark.parametrize("name", ["scheme", "grid_sha256", "model_sha256", "checksum"])
@pytest.mark.parametrize("value", [7, 2.5, None], ids=repr)
def test_a_text_that_is_none_is_named(whole, tmp_path, name, value):
    """A number, or nothing."""
    path = copied(whole, tmp_path / "r.nc", attributes={name: value})
    with pytest.raises(StateError, match=rf"r\.nc: .*attribute {name} is"):
        State.load(path)


@pytest.mark.parametrize("name", ["provenance", "kept_notes"])
@pytest.mark.parametrize(
    "value", ["{", "[1]", "3", "null", "[" * 9000, '{"a": 1, "a": 2}', '{"a": NaN}', 7],
    ids=lambda value: str(value)[:12],
)  # fmt: skip
def test_notes_that_are_no_json_are_named(whole, tmp_path, name, value):
    """Nor any JSON but an object."""
    path = copied(whole, tmp_path / "r.nc", attributes={name: value})
    with pytest.raises(StateError, match=rf"r\.nc: .*attribute {name} is"):
        State.load(path)


def test_provenance_holds_texts(whole, tmp_path):
    """By name."""
    notes = json.dumps({"landstep": {"version": 1}})
    path = copied(whole, tmp_path / "r.nc", attributes={"provenance": notes})
    with pytest.raises(StateError, match=r"r\.nc: .*provenance is .* expected texts by name"):
        State.load(path)


def test_a_schema_that_is_no_number_is_named(whole, tmp_path):
    """Text, a float, two numbers."""
    for number, value in enumerate(("3", 3.0, [2, 3], 9)):
        attributes = {"landstep_restart_schema": value}
        path = copied(whole, tmp_path / f"{number}.nc", attributes=attributes)
        with pytest.raises(StateError, match=rf"{number}\.nc: restart schema .*, need 2 or 3"):
            State.load(path)


def test_a_climate_that_does_not_fit_is_named(whole, tmp_path):
    """Its type, dimensions, variables and year."""
    for number, (sizes, kind) in enumerate(
        (((), "f4"), ((1, 1, 12, 2), "f4"), ((1, 1, 12, 2, 2), "f8"), ((1, 3, 12, 2, 2), "f4"),
         ((31, 1, 12, 2, 2), "f4"), ((1, 1, 11, 2, 2), "f4"), ((1, 1, 12, 2, 3), "f4"))
    ):  # fmt: skip
        path = copied(whole, tmp_path / f"{number}.nc", replace={"climate": (sizes, kind)})
        with pytest.raises(StateError, match=rf"{number}\.nc: .*climate .* expected"):
            State.load(path)
    for name, value in (("last_year", "x"), ("last_year", None), ("variables", 3)):
        path = tmp_path / "r.nc"
        path.unlink(missing_ok=True)
        copied(whole, path, of_climate={name: value})
        with pytest.raises(StateError, match=rf"r\.nc: .*attribute {name} is"):
            State.load(path)


def test_kept_text_is_named(whole, tmp_path):
    """What a coupler keeps are numbers."""
    path = copied(whole, tmp_path / "r.nc", replace={"kept_index": ((3,), str)})
    with pytest.raises(StateError, match=r"r\.nc: .*kept_index is object, expected numbers"):
        State.load(path)


def test_whatever_else_a_library_raises_is_a_state_error(whole, monkeypatch):
    """With its words, the file, and the previous restart."""
    for error in (IndexError("tuple index out of range"), MemoryError("1 TiB"), RuntimeError("x")):

        def broken(*args, error=error):
            raise error

        monkeypatch.setattr("landstep.emulator.state.check_variables", broken)
        words = rf"whole\.nc: restart is damaged \({type(error).__name__}"
        with pytest.raises(StateError, match=words):
            State.load(whole)


def test_notes_of_an_object_are_taken():
    """As they are."""
    assert notes_attribute({"n": '{"a": [1, 2.5, null]}'}, "n") == {"a": [1, 2.5, None]}
