"""How each kind of file is read, as a user's command or a host's call reads it.

Each reader returns what it read, so that it can be compared; everything is imported where it is
used: a child reads one kind.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

FIRST, LAST = 2015, 2017
MOST_YEARS = 12
"""Years of a file that are read: what the others hold is read the same way."""


class World:
    """The folder of seeds, and what of it readers need: opened once in a process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def experiment(self) -> Any:
        from landstep.emulator.experiment import load_experiment

        return load_experiment(self.folder / "experiment.toml")

    @cached_property
    def inputs(self) -> Any:
        from landstep.emulator.inputs import open_inputs

        return open_inputs(self.experiment)

    @cached_property
    def emulator(self) -> Any:
        from landstep.emulator.emulator import Emulator

        return Emulator.open(self.folder / "experiment.toml")

    @cached_property
    def points(self) -> Any:
        from .seeds import host_points

        return host_points(self.folder)

    @cached_property
    def run(self) -> Any:
        from landstep.coupling.host_files.run import Run

        return Run.open(self.folder / "run", self.folder / "experiment.toml")

    @cached_property
    def scheme(self) -> Any:
        from landstep.emulator.classes import scheme

        return scheme("hilda8")

    def out(self, name: str) -> Path:
        """Return where a reader may write a file: none is there."""
        path = self.folder / name
        for old in self.folder.glob(f"{name}*"):
            old.unlink()
        return path


def experiment(path: Path, world: World) -> Any:
    from landstep.emulator.experiment import load_experiment
    from landstep.emulator.inputs import open_inputs

    found = load_experiment(path)
    found.model_path()
    inputs = open_inputs(found)
    return [found.model_dump(mode="json"), inputs.grid.fingerprint, inputs.sea]


def checked_experiment(path: Path, world: World) -> Any:
    """Read a static map of an experiment that has the sha256 of each of its files."""
    from landstep.emulator.experiment import load_experiment
    from landstep.emulator.inputs import open_inputs

    from .seeds import CHECKED

    inputs = open_inputs(load_experiment(world.folder / CHECKED))
    return inputs.statics.continuous


def sources(path: Path, world: World) -> Any:
    from landstep.data.prepare_config import find_maps, load_sources

    found = load_sources(path)
    return [found.model_dump(mode="json"), find_maps(found, 2000, 2001)]


def table(path: Path, world: World) -> Any:
    from landstep.coupling.crosswalk import Crosswalk
    from landstep.coupling.host_table import host_table

    found = host_table(path.name, path.parent)
    Crosswalk.make(found, world.scheme, legend_known=True)
    return found.model_dump(mode="json")


def training(path: Path, world: World) -> Any:
    from landstep.training.config import load_config

    return load_config(path).model_dump(mode="json")


def _forcing(path: Path, kind: Any) -> Any:
    from landstep.emulator.forcing import Forcing

    found = Forcing.open([path], format=kind)
    first, last = found.years
    years = range(first, min(last, first + MOST_YEARS) + 1)
    return [found.states, found.phase, [found.year(year) for year in years]]


def forcing(path: Path, world: World) -> Any:
    return _forcing(path, "luh2")


def blocks(path: Path, world: World) -> Any:
    return _forcing(path, "blocks")


def land_use(path: Path, world: World) -> Any:
    from landstep.emulator.land_use import LandUse

    found = LandUse.open(path, scheme=world.scheme, variant="forest")
    return [found.phase, found.grid, [found.map(year) for year in found.years[:MOST_YEARS]]]


def static(name: str) -> Callable[[Path, World], Any]:
    def read(path: Path, world: World) -> Any:
        from landstep.emulator.statics import Statics

        found = Statics.open({name: (path, None)}, world.inputs.grid)
        return [found.continuous, found.scenario, *(found.categories(y) for y in (2000, 2050))]

    return read


def climate(path: Path, world: World) -> Any:
    from landstep.emulator.reference_climate import coarse_centres, read_reference

    inputs = world.inputs
    lat, lon = coarse_centres(inputs.grid, inputs.share.held, inputs.row, inputs.col)
    return read_reference(path, lat, lon, np.ones(lat.shape, bool))


def host_reference(path: Path, world: World) -> Any:
    from landstep.emulator.host_reference import HostReference

    return HostReference.read(path, world.inputs).means


def restart(path: Path, world: World) -> Any:
    from landstep.emulator.state import State

    found = State.load(path)
    world.emulator.start(restart=path)
    return _without_notes(found)


def _without_notes(state: Any) -> Any:
    """Leave out where it was computed: of that only the whole file's own checksum knows."""
    return replace(state, provenance={})


def coupled_restart(path: Path, world: World) -> Any:
    from landstep.coupling.coupler import Coupler

    coupler = Coupler.on(world.emulator, world.points, restart=path)
    coupler.update(coupler.year, 1, 1)
    return [_without_notes(coupler.state), {name: coupler.get(name) for name in coupler.names()}]


def year_map(path: Path, world: World) -> Any:
    """A map of a run, as `inspect`, `plot` and `hostfile` read it."""
    from landstep.coupling.host_files.run import Run
    from landstep.emulator.inspection import describe
    from landstep.map_reading import read_map, read_maps

    described = describe(path)
    drawn = read_map(path, world.scheme)
    whole = slice(0, drawn.shape[0]), slice(0, drawn.shape[1])
    read_maps([(LAST, path)], world.scheme, whole, (7, 7), (7, 7))
    run = Run.open(path.parent, world.folder / "experiment.toml")
    return [described, drawn, run.land_use(LAST)]


def inspected(path: Path, world: World) -> Any:
    """Any NetCDF file, as `inspect` describes it."""
    from landstep.emulator.inspection import describe

    return describe(path)


def host(name: str) -> Callable[[Path, World], Any]:
    def read(path: Path, world: World) -> Any:
        from landstep.coupling.host_files.update import Task, update_host_file

        output = world.out(f"updated_{name}")
        years = (LAST, LAST)
        done = update_host_file(
            Task(name, path, world.folder / "run", world.folder / "hosts.toml", years, output)
        )
        return [dict(done.changed), dict(done.left), done.served, output.read_bytes()]

    return read


def weights(path: Path, world: World) -> Any:
    from landstep.coupling.remapping.weight_file import read_weights
    from landstep.emulator.part import Part

    from .host_seeds import weight_grid

    grid = weight_grid()
    found = read_weights(path, grid)
    centres = grid.lat_deg[::2][:3] - 0.25, grid.lon_deg[::2] + 0.25
    lat, lon = (v.ravel() for v in np.meshgrid(*centres, indexing="ij"))
    from landstep.coupling.points import Points

    remap = found.remap(Points.make(lon, lat), Part.whole(grid.shape))
    return [found, remap.class_areas(np.zeros(grid.shape, np.uint8), 7)]


def model(path: Path, world: World) -> Any:
    """A model that comes with a manifest of its own bytes: its maker may be anybody."""
    from landstep.emulator.card import write_manifest
    from landstep.emulator.session import Session

    write_manifest(path)
    session = Session.open(path)
    return [session.card.model_dump(mode="json"), session.run(_window(session))]


def _window(session: Any) -> dict[str, np.ndarray]:
    """Make up a small window of inputs."""
    card, rng = session.card, np.random.default_rng(0)
    side, states, k = 2 * card.stride, len(card.states), len(card.class_codes)
    fine, coarse = (1, side, side), (1, states, 2, 2)
    return {
        "prior": rng.integers(0, 8, fine).astype(np.uint8),
        "history": rng.integers(0, 8, (1, card.history, side, side)).astype(np.uint8),
        "years": np.ones(1, np.float32),
        "continuous": np.full((1, len(card.continuous), side, side), 300, np.float32),
        "categories": rng.integers(0, 6, (1, len(card.categories), side, side)).astype(np.uint8),
        "forcing": np.full(coarse, 0.05, np.float32),
        "forcing_change": np.zeros(coarse, np.float32),
        "prior_shares": np.full((1, k, 2, 2), 1 / k, np.float32),
        "row": np.arange(side) * 2 // side,
        "col": np.arange(side) * 2 // side,
    }


def checked_model(path: Path, world: World) -> Any:
    """A model beside the manifest that landstep wrote of the true one."""
    import shutil

    from landstep.emulator.model_file import read_verified

    shutil.copy(world.folder / "world.onnx.json", f"{path}.json")
    return read_verified(path)


def manifest(path: Path, world: World) -> Any:
    from landstep.emulator.model_file import read_verified

    return read_verified(path.with_suffix(""))


def run_record(path: Path, world: World) -> Any:
    from landstep.emulator.run_folder import holds, identity

    return holds(path.parent, identity(world.emulator, f"map of {FIRST}"))


def raster_codes(path: Path, world: World) -> Any:
    from landstep.data.geotiff import geotiff_to_netcdf
    from landstep.emulator.netcdf import NetcdfFile

    out = world.out("converted.nc")
    geotiff_to_netcdf({2000: path}, out)
    with NetcdfFile(out) as file:
        return file.read("LULC_states")


def raster_static(path: Path, world: World) -> Any:
    return _prepared(path, "elevation", "height")


def _prepared(path: Path, static: str, variable: str) -> Any:
    """Read a static map as `landstep prepare` does."""
    from landstep.data.source_map import open_map
    from landstep.data.static_maps import CodeMap, ElevationMap

    with open_map(path, variable) as source:
        of = ElevationMap(source, "m") if static == "elevation" else CodeMap(source, static)
        block = of.block(np.arange(4805, 4860), np.arange(18020, 18100))
        return [block, of.samples()]


def source_elevation(path: Path, world: World) -> Any:
    return _prepared(path, "elevation", "elevation")


def source_soil(path: Path, world: World) -> Any:
    return _prepared(path, "soil_texture", "soil_texture")


def series(path: Path, world: World) -> Any:
    """The arrays of a real series, beside its statics."""
    import shutil

    from landstep.data.series import sweden_series

    shutil.copy(world.folder / "series" / "sweden" / "statics.npz", path.with_name("statics.npz"))
    return sweden_series(path.parents[1])


def digest(value: Any) -> str:
    """Return a sha256 of anything that a reader returns."""
    made = hashlib.sha256()
    _into(made, value)
    return made.hexdigest()


def _into(made: Any, value: Any) -> None:
    made.update(type(value).__name__.encode())
    if isinstance(value, np.ndarray):
        made.update(f"{value.dtype}{value.shape}".encode())
        made.update(repr(value.tolist()).encode() if value.dtype.kind == "O"
                    else np.ascontiguousarray(value).tobytes())  # fmt: skip
    elif is_dataclass(value) and not isinstance(value, type):
        for of in fields(value):
            if not of.name.startswith("_"):
                made.update(of.name.encode())
                _into(made, getattr(value, of.name))
    elif isinstance(value, dict):
        for key in sorted(value, key=str):
            made.update(repr(key).encode())
            _into(made, value[key])
    elif isinstance(value, list | tuple):
        for inner in value:
            _into(made, inner)
    else:
        made.update(repr(value).encode())
