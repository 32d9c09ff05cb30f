"""The kinds of files, their seeds, and how each is mutated."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hypothesis import strategies as st

from . import byte_edits, netcdf_edits, onnx_edits, readers, text_edits
from .readers import World

Mutation = tuple[Any, ...]
"""What was drawn for an input: the number of its seed, and edits."""

MOST_BYTES = 2**24
"""Larger files are not tried: they cost time, and say no more."""

STEPS = 4
"""Edits of an input, at most."""


@dataclass(frozen=True)
class Kind:
    """Files that one reader takes.

    read : see `readers`
    seeds : valid files, by their names in the folder of seeds
    place : where a mutated file is put in that folder; the seed's name stands for {}
    form : how files are mutated beside their bytes: netcdf, toml, json, onnx or bytes
    checked : landstep wrote a checksum of the seeds: whatever is accepted must read the same.
        "beside": in another file, or of the content; "behind": in a trailer, which a file that
        another program writes anew has not
    named : a refusal names the file; else it names what the file names
    output : what a refusal may name instead: the file that is written, the model
    """

    read: Callable[[Path, World], Any]
    seeds: tuple[str, ...]
    place: str = "input.nc"
    form: str = "netcdf"
    checked: Literal["", "beside", "behind"] = ""
    named: bool = True
    output: str = ""


def _host(name: str, *seeds: str) -> Kind:
    """Return the kind of a host's NetCDF file."""
    return Kind(readers.host(name), seeds, output=f"updated_{name}")


def _of(*names: str) -> tuple[str, ...]:
    """Return the names of trimmed seeds in both forms of NetCDF."""
    return tuple(f"{name}_{form}.nc" for name in names for form in ("small", "classic"))


KINDS = {
    "experiment": Kind(
        readers.experiment, ("experiment.toml", "full.toml"), "input.toml", "toml", named=False
    ),
    "sources": Kind(readers.sources, ("sources.toml",), "input.toml", "toml", named=False),
    "host table": Kind(readers.table, ("host.toml", "ecland.toml"), "input.toml", "toml"),
    "training": Kind(readers.training, ("training.toml",), "input.toml", "toml"),
    "forcing": Kind(
        readers.forcing, ("states_history.nc", *_of("states_history", "states_scenario"))
    ),
    "block forcing": Kind(readers.blocks, ("blocks.nc", *_of("blocks"))),
    "land use": Kind(readers.land_use, ("hildaplus.nc", *_of("hildaplus"))),
    "elevation": Kind(readers.static("elevation"), ("topography.nc", *_of("topography"))),
    "soil": Kind(readers.static("soil_texture"), ("soil.nc", *_of("soil"))),
    "zones": Kind(readers.static("climate_zone"), ("zones.nc", *_of("zones"))),
    "climate": Kind(readers.climate, ("climate.nc", *_of("climate"))),
    "host climate": Kind(readers.host_reference, ("climate.nc", *_of("climate"))),
    "checked file": Kind(readers.checked_experiment, ("topography.nc",), checked="beside"),
    "restart": Kind(readers.restart, ("restart_plain.nc", "restart_climate.nc"), checked="beside"),
    "coupled restart": Kind(readers.coupled_restart, ("restart_coupled.nc",), checked="beside"),
    "year map": Kind(
        readers.year_map,
        (f"run/land_use_{readers.LAST}.nc",),
        f"one_year/land_use_{readers.LAST}.nc",
        checked="behind",
    ),
    "inspected": Kind(
        readers.inspected,
        ("run/restart.nc", f"run/land_use_{readers.LAST}.nc", *_of("hildaplus", "climate")),
    ),
    "prepared elevation": Kind(readers.source_elevation, ("topography.nc", *_of("topography"))),
    "prepared soil": Kind(readers.source_soil, ("soil.nc", *_of("soil"))),
    "ecland": _host("ecland", "ecland.nc"),
    "speedy": _host("speedy", "speedy.nc"),
    "noahmp": _host("noahmp", "noahmp.nc"),
    "ctsm": _host("ctsm", "ctsm_series.nc"),
    "ifs": Kind(
        readers.host("ifs"),
        ("ifs_regional.grib", "ifs_global.grib"),
        "input.grib",
        "bytes",
        output="updated_ifs",
    ),
    "weights": Kind(readers.weights, ("weights_esmf.nc", "weights_scrip.nc")),
    "model": Kind(
        readers.model, ("world.onnx",), "input.onnx", "onnx", output="model made-up world"
    ),
    "checked model": Kind(
        readers.checked_model, ("world.onnx",), "input.onnx", "onnx", checked="beside"
    ),
    "manifest": Kind(
        readers.manifest, ("world.onnx.json",), "world.onnx.json", "json", named=False
    ),
    "run record": Kind(
        readers.run_record, ("run/run.json",), "one_year/run.json", "json", named=False
    ),
    "GeoTIFF codes": Kind(readers.raster_codes, ("codes.tif", "tiled.tif"), "input.tif", "bytes"),
    "GeoTIFF static": Kind(
        readers.raster_static, ("height.tif", "codes.tif"), "input.tif", "bytes"
    ),
    "series": Kind(
        readers.series,
        ("series/sweden/hildaplus_south_sweden_made_up.npz",),
        "in_series/sweden/hildaplus_south_sweden_input.npz",
        "bytes",
    ),
}


def _some(edits: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """Return one edit as often as some: many hide what one does."""
    return st.one_of(
        st.lists(edits, min_size=1, max_size=1), st.lists(edits, min_size=1, max_size=STEPS)
    )


def mutations(kind: Kind) -> st.SearchStrategy[Mutation]:
    """Return what may be done to the seeds of a kind."""
    seed = st.integers(0, len(kind.seeds) - 1)
    damage = _some(byte_edits.edits)
    none = st.just(())
    damaged = st.tuples(seed, none, damage)
    if kind.form == "bytes":
        return damaged
    of_form = {
        "netcdf": netcdf_edits.edits,
        "toml": text_edits.toml_edits,
        "json": text_edits.json_edits,
        "onnx": onnx_edits.edits,
    }[kind.form]
    odd = _some(of_form)
    more = (text_edits.encodings,) if kind.form == "toml" else ()
    return st.one_of(
        st.tuples(seed, odd, none, *more),
        damaged,
        st.tuples(seed, odd, damage, *more),
    )


class Mutator:
    """Makes the bytes of mutated files; seeds are read once."""

    def __init__(self, kind: Kind, folder: Path) -> None:
        self.kind, self.folder = kind, folder
        self.contents = [(folder / name).read_bytes() for name in kind.seeds]
        self.files = [
            netcdf_edits.read_content(folder / name) if kind.form == "netcdf" else None
            for name in kind.seeds
        ]

    def made(self, mutation: Mutation) -> bytes | None:
        """Return the bytes of a mutated file; None where the writing library cannot hold it."""
        number, odd, damage, *more = mutation
        content = self.contents[number]
        if odd:
            try:
                content = self._odd(number, odd, *more)
            except Exception:  # a library's own refusal to write what was asked
                return None
        return byte_edits.edited(content, list(damage))

    def _odd(self, number: int, odd: list[Any], encoding: str = "utf-8") -> bytes:
        content = self.contents[number]
        if self.kind.form == "netcdf":
            of = self.files[number]
            assert of is not None
            path = self.folder / "written.nc"
            netcdf_edits.write_content(netcdf_edits.edited(of, odd), path)
            if path.stat().st_size > MOST_BYTES:
                raise ValueError(f"{path}: {path.stat().st_size} bytes")
            return path.read_bytes()
        if self.kind.form == "toml":
            return text_edits.edited_toml(content.decode("utf-8"), odd, encoding)
        if self.kind.form == "json":
            return text_edits.edited_json(
                json.loads(content) and content.decode("utf-8"), odd
            ).encode()
        return onnx_edits.edited(content, odd)
