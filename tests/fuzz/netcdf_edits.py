"""Legal but odd NetCDF files: an example, read into memory, changed, and written anew."""

from __future__ import annotations

import copy
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
from hypothesis import strategies as st

FORMATS = ("NETCDF4", "NETCDF4_CLASSIC", "NETCDF3_CLASSIC", "NETCDF3_64BIT_OFFSET",
           "NETCDF3_64BIT_DATA")  # fmt: skip
NUMBERS = ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8", ">f4", ">i2")
USER_TYPES = ("compound", "vlen", "enum", "complex")
VALUES = (
    0, 1, -1, 2, 7, 12, 100, 254, 255, 256, -128, 32767, 65535, 2**31 - 1, -(2**31), 2**32,
    2**53 + 1, 2**63 - 1, -(2**63), 0.5, -0.0, 1e-320, 1e9, 1e20, -1e34, 9.96920996838687e36,
    1e308, float("nan"), float("inf"), float("-inf"),
)  # fmt: skip
NAMES = (
    "time", "lat", "lon", "x", "elevation", "a name", "a:b", "größe", "x" * 200, "land_use", "-9",
    "_FillValue", "S", "climate", "%s", "{0}", "kept_", "month", "history", "lat_bnds",
)  # fmt: skip
ATTRIBUTES = (
    "units", "calendar", "_FillValue", "missing_value", "scale_factor", "add_offset", "valid_min",
    "valid_max", "valid_range", "_Unsigned", "standard_name", "long_name", "axis", "coordinates",
    "grid_mapping", "bounds", "positive", "flag_values", "flag_meanings", "cell_methods", "phase",
    "scenario", "quantities", "block_size", "class_scheme", "grid_sha256", "model_sha256", "year",
    "landstep_restart_schema", "checksum", "provenance", "kept_notes", "anchor", "direction",
    "normalization", "MMINLU", "Conventions", "variables", "last_year", "title", "_Encoding",
    "ancillary_variables", "compress", "missing_val", "_Fillvalue",
)  # fmt: skip
TEXTS = (
    "", " ", "1", "-1", "K", "degrees_north", "degrees_east", "degree_N", "radians", "m", "km",
    "percent", "%", "years since 850-01-01", "days since 1850-01-01", "days since 0000-00-00",
    "days since -4713-1-1", "seconds since 1e9", "months since 2000", "fortnights since 2000-1-1",
    "since", "noleap", "360_day", "none", "true", "lat lon", "{}", "[]", "null", "NaN", "\n",
    "a" * 3000,
    "m2 s-2", "kg m-2 s-1", "%d %s {0!r}", "\u00e9\u4e2d", "fp32", "known", "1e400", '{"a": 1}',
    "years since 99999999999999999999-01-01", "days since 99999-13-45", "latitude", "longitude",
)  # fmt: skip
HUGE = (2**18, 2**31, 2**33, 2**40)
"""Sizes that are declared: the first makes a large map, of which all is read in its time; no
memory holds the others."""
LARGE = 2**17
"""A dimension from which on nothing is stored."""

odd_values = st.one_of(
    st.sampled_from(VALUES),
    st.sampled_from(TEXTS),
    st.lists(st.sampled_from(VALUES[:16]), max_size=4),
    st.lists(st.sampled_from(TEXTS), min_size=2, max_size=3),
    st.text(max_size=12),
)


@dataclass
class Held:
    """A variable in memory."""

    dims: tuple[str, ...]
    data: np.ndarray
    attrs: dict[str, Any]
    kind: str = ""
    group: str = ""
    options: dict[str, Any] = field(default_factory=dict)


@dataclass
class Content:
    """A NetCDF file in memory; a dimension of size None is unlimited."""

    dims: dict[str, int]
    variables: dict[str, Held]
    attrs: dict[str, Any]
    format: str = "NETCDF4"
    unlimited: set[str] = field(default_factory=set)


def read_content(path: Path, steps: int = 3) -> Content:
    """Read a file, of its years no more than some."""
    with netCDF4.Dataset(path) as file:
        file.set_auto_maskandscale(False)
        content = Content(
            {name: len(dim) for name, dim in file.dimensions.items()},
            {
                name: Held(
                    v.dimensions, np.asarray(v[...]), {k: v.getncattr(k) for k in v.ncattrs()}
                )
                for name, v in file.variables.items()
            },
            {key: file.getncattr(key) for key in file.ncattrs()},
            file.data_model,
            {name for name, dim in file.dimensions.items() if dim.isunlimited()},
        )
    if content.dims.get("time", 0) > steps:
        _resize(content, "time", steps)
    return content


def write_content(content: Content, path: Path) -> None:
    """Write a file; whatever netCDF4 raises where it cannot hold that."""
    path.unlink(missing_ok=True)
    warnings.simplefilter("ignore")
    if any(size > LARGE for size in content.dims.values()) and content.format != "NETCDF4":
        raise ValueError("the classic forms write every cell")
    with netCDF4.Dataset(path, "w", format=content.format) as file:
        file.set_fill_off()
        file.set_auto_maskandscale(False)
        for name, value in content.attrs.items():
            file.setncattr(name, value)
        for name, size in content.dims.items():
            file.createDimension(name, None if name in content.unlimited else size)
        for name, held in content.variables.items():
            _write(file.createGroup(held.group) if held.group else file, name, held, content)


def _write(where: Any, name: str, held: Held, content: Content) -> None:
    data, attrs = held.data, dict(held.attrs)
    kind = _kind(where, name, held)
    fill = attrs.pop("_FillValue", None)
    if fill is not None and (held.kind or np.ndim(fill)):
        fill = None
    large = any(content.dims.get(dim, 0) > LARGE for dim in held.dims)
    options = held.options | ({"zlib": True, "contiguous": False} if large else {})
    variable = where.createVariable(name, kind, held.dims, fill_value=fill, **options)
    variable.set_auto_maskandscale(False)
    for key, value in attrs.items():
        variable.setncattr(key, value)
    if not large and held.kind not in USER_TYPES:
        if held.kind == "str":
            data = data.astype(str).astype(object)
        elif held.kind == "S1":
            data = np.full(data.shape, b"x", "S1")
        elif held.kind:
            with np.errstate(all="ignore"):
                data = data.astype(held.kind)
        variable[...] = data


def _kind(where: Any, name: str, held: Held) -> Any:
    if held.kind == "str":
        return str
    if held.kind == "compound":
        return where.createCompoundType(np.dtype([("a", "f4"), ("b", "i4")]), f"{name}_t")
    if held.kind == "vlen":
        return where.createVLType(np.float32, f"{name}_t")
    if held.kind == "enum":
        return where.createEnumType(np.uint8, f"{name}_t", {"a": 0, "b": 1})
    if held.kind == "complex":
        return where.createCompoundType(np.dtype([("r", "f8"), ("i", "f8")]), f"{name}_t")
    if held.kind:
        return held.kind
    return str if held.data.dtype.kind in "OU" else held.data.dtype


@dataclass(frozen=True)
class NetcdfEdit:
    """One change: what, of which variable and dimension (by number), and odd things to put."""

    what: str
    which: int
    other: int
    value: Any

    def apply(self, content: Content) -> None:
        """Change the content, where it has what is to be changed."""
        if not content.variables:
            return
        name = list(content.variables)[self.which % len(content.variables)]
        getattr(self, f"_{self.what}")(content, name, content.variables[name])

    def _pick(self, of: Any) -> Any:
        return list(of)[self.other % len(of)] if of else None

    def _drop(self, content: Content, name: str, held: Held) -> None:
        del content.variables[name]

    def _rename(self, content: Content, name: str, held: Held) -> None:
        new = self._pick(NAMES)
        content.variables = {new if n == name else n: v for n, v in content.variables.items()}

    def _rename_dim(self, content: Content, name: str, held: Held) -> None:
        if not content.dims:
            return
        old, new = list(content.dims)[self.which % len(content.dims)], self._pick(NAMES)
        if new in content.dims:
            return
        content.dims = {new if n == old else n: size for n, size in content.dims.items()}
        for of in content.variables.values():
            of.dims = tuple(new if dim == old else dim for dim in of.dims)

    def _attribute(self, content: Content, name: str, held: Held) -> None:
        key = self._pick(ATTRIBUTES)
        value = self.value
        if key == "_FillValue":
            value = value if isinstance(value, int | float) else 255
            with np.errstate(all="ignore"):
                value = (
                    np.asarray(value, np.float64).astype(held.data.dtype)[()]
                    if held.data.dtype.kind in "iuf"
                    else 255
                )
        held.attrs[key] = value

    def _file_attribute(self, content: Content, name: str, held: Held) -> None:
        content.attrs[self._pick(ATTRIBUTES)] = self.value

    def _known_attribute(self, content: Content, name: str, held: Held) -> None:
        """Change one that is there: of the variable, or of the file."""
        of = held.attrs if self.which % 2 and held.attrs else content.attrs
        if key := self._pick([k for k in of if k != "_FillValue"]):
            of[key] = self.value

    def _no_attribute(self, content: Content, name: str, held: Held) -> None:
        of = held.attrs if self.which % 2 and held.attrs else content.attrs
        if key := self._pick(of):
            del of[key]

    def _type(self, content: Content, name: str, held: Held) -> None:
        held.kind = self._pick((*NUMBERS, "str", "S1", *USER_TYPES))
        held.attrs.pop("_FillValue", None)

    def _transpose(self, content: Content, name: str, held: Held) -> None:
        held.dims, held.data = held.dims[::-1], held.data.T.copy()

    def _resize(self, content: Content, name: str, held: Held) -> None:
        if content.dims:
            dim = list(content.dims)[self.which % len(content.dims)]
            size = content.dims[dim]
            _resize(content, dim, self._pick((0, 1, 2, max(0, size - 1), size + 1, 3 * size)))

    def _huge(self, content: Content, name: str, held: Held) -> None:
        """Declare a dimension of many cells, of which none is stored."""
        if content.dims:
            dim = list(content.dims)[self.which % len(content.dims)]
            content.dims[dim] = self._pick(HUGE)

    def _one_value(self, content: Content, name: str, held: Held) -> None:
        if held.data.dtype.kind in "iuf" and held.data.size:
            data = held.data.copy()
            with np.errstate(all="ignore"):
                value = np.asarray(self._pick(VALUES), np.float64).astype(data.dtype)
            data.reshape(-1)[self.which * 7919 % data.size] = value
            held.data = data

    def _all_values(self, content: Content, name: str, held: Held) -> None:
        if held.data.dtype.kind in "iuf":
            with np.errstate(all="ignore"):
                value = np.asarray(self._pick(VALUES), np.float64).astype(held.data.dtype)
            held.data = np.full(held.data.shape, value)

    def _scaled(self, content: Content, name: str, held: Held) -> None:
        if held.data.dtype.kind in "iuf":
            with np.errstate(all="ignore"):
                factor = self._pick((-1, 1000, 1e-3, 100, 1e30, 360))
                held.data = (held.data.astype(np.float64) * factor).astype(held.data.dtype)

    def _reversed(self, content: Content, name: str, held: Held) -> None:
        held.data = held.data[::-1].copy() if held.data.ndim else held.data

    def _shuffled(self, content: Content, name: str, held: Held) -> None:
        flat = held.data.reshape(-1)
        held.data = np.roll(flat, self.which).reshape(held.data.shape)

    def _scalar(self, content: Content, name: str, held: Held) -> None:
        if held.data.size:
            held.dims, held.data = (), held.data.reshape(-1)[0].reshape(())

    def _more_dims(self, content: Content, name: str, held: Held) -> None:
        size = self._pick((1, 2))
        content.dims[f"more_{size}"] = size
        held.dims = (f"more_{size}", *held.dims)
        held.data = np.broadcast_to(held.data, (size, *held.data.shape)).copy()

    def _same_dims(self, content: Content, name: str, held: Held) -> None:
        """Lie along one dimension twice."""
        if held.dims:
            dim = held.dims[0]
            size = content.dims[dim]
            if size <= 2000:
                held.dims, held.data = (dim, dim), np.zeros((size, size), np.float32)

    def _swap(self, content: Content, name: str, held: Held) -> None:
        other = content.variables[self._pick(content.variables)]
        other.dims, held.dims = held.dims, other.dims
        other.data, held.data = held.data, other.data

    def _unlimited(self, content: Content, name: str, held: Held) -> None:
        if content.dims:
            content.unlimited.add(list(content.dims)[self.which % len(content.dims)])

    def _format(self, content: Content, name: str, held: Held) -> None:
        content.format = self._pick(FORMATS)

    def _stored(self, content: Content, name: str, held: Held) -> None:
        held.options = self._pick((
            {"endian": "big"}, {"zlib": True}, {"compression": "zstd"}, {"fletcher32": True},
            {"compression": "bzip2"}, {"contiguous": True}, {"zlib": True, "shuffle": True},
            {"compression": "szip"}, {"compression": "blosc_lz4"},
        ))  # fmt: skip

    def _group(self, content: Content, name: str, held: Held) -> None:
        held.group = self._pick(("inner", "a/b", "größe"))

    def _empty(self, content: Content, name: str, held: Held) -> None:
        content.variables = {}


def _resize(content: Content, dim: str, size: int) -> None:
    """Cut or pad everything along a dimension."""
    content.dims[dim] = size
    for held in content.variables.values():
        for axis, name in enumerate(held.dims):
            if name == dim and held.data.shape[axis] != size:
                index = np.arange(size) % max(1, held.data.shape[axis])
                if held.data.shape[axis]:
                    held.data = np.take(held.data, index, axis=axis)
                else:
                    shape = [*held.data.shape]
                    shape[axis] = size
                    held.data = np.zeros(shape, held.data.dtype)


WHATS = tuple(
    name[1:]
    for name in vars(NetcdfEdit)
    if name.startswith("_") and not name.startswith("__") and name not in ("_pick",)
)

edits = st.builds(
    NetcdfEdit,
    st.sampled_from(
        (
            *WHATS,
            "attribute",
            "attribute",
            "known_attribute",
            "known_attribute",
            "one_value",
            "all_values",
            "type",
        )
    ),  # fmt: skip
    st.integers(0, 999),
    st.integers(0, 999),
    odd_values,
)


def edited(content: Content, steps: list[NetcdfEdit]) -> Content:
    """Return the content after some changes; the given one stays as it is."""
    content = copy.deepcopy(content)
    for step in steps:
        step.apply(content)
    return content
