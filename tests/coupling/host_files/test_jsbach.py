"""JSBACH's initial file and yearly map of cover fractions, generated: eleven tiles."""

import netCDF4
import numpy as np
import pytest

from landstep.coupling.host_files.update import Task, update_host_file
from landstep.emulator.errors import ConfigError

TYPES = (2, 3, 4, 5, 10, 11, 12, 13, 15, 16, 20)
GLACIER, LAKE, SEA = (0, 1), (1, 2), (2, 3)


@pytest.fixture
def make_jsbach(quarters, tmp_path):
    """Write cover_fract(ntiles, lat, lon) and, in an initial file, masks and veg_ratio_max."""

    def make(name, *, masks=True, tiles=11, cover_types=True):
        lat, lon = quarters
        shape = (lat.size, lon.size)
        shares = np.random.default_rng(2).dirichlet(np.ones(tiles), shape)
        shares[GLACIER] = np.arange(tiles) == 0
        numbers = np.broadcast_to((*TYPES, 21)[:tiles], (*shape, tiles)).copy()
        numbers[GLACIER] = 1
        with netCDF4.Dataset(tmp_path / name, "w", format="NETCDF3_CLASSIC") as file:
            for dim, values in (("lat", lat), ("lon", lon)):
                file.createDimension(dim, len(values))
                file.createVariable(dim, "f8", (dim,))[:] = values
            file.createDimension("ntiles", tiles)
            on = ("ntiles", "lat", "lon")
            file.createVariable("cover_fract", "f8", on)[:] = np.moveaxis(shares, -1, 0)
            if cover_types:
                file.createVariable("cover_type", "f8", on)[:] = np.moveaxis(numbers, -1, 0)
            if masks:
                of = {"slm": np.ones(shape), "glac": np.zeros(shape), "lake": np.zeros(shape)}
                of["slm"][SEA], of["glac"][GLACIER], of["lake"][LAKE] = 0, 1, 1
                of["veg_ratio_max"] = np.full(shape, 0.8)
                of["roughness_length"] = np.ones(shape)
                for variable, values in of.items():
                    file.createVariable(variable, "f8", ("lat", "lon"))[:] = values
        return tmp_path / name

    return make


def stored(path):
    with netCDF4.Dataset(path) as file:
        return {name: np.asarray(variable[...]) for name, variable in file.variables.items()}


def update(world_run, source, output, year=2018, **more):
    return update_host_file(Task("jsbach", source, *world_run, (year, year), output, **more))


def test_an_initial_file_moves_but_for_glaciers_lakes_and_the_sea(world_run, make_jsbach, tmp_path):
    """Shares of the vegetated part sum to 1; what landstep has no field for is said to stay."""
    source = make_jsbach("jsbach.nc")
    done = update(world_run, source, tmp_path / "new.nc")
    assert done.points == 24 and done.served == 21
    old, new = stored(source), stored(tmp_path / "new.nc")
    moved = {name for name in old if not np.array_equal(old[name], new[name])}
    assert moved == {"cover_fract", "veg_ratio_max"}
    changed = (old["cover_fract"] != new["cover_fract"]).any(axis=0)
    assert changed.sum() > 10 and not any(changed[place] for place in (GLACIER, LAKE, SEA))
    np.testing.assert_allclose(new["cover_fract"].sum(axis=0), 1.0, atol=1e-12)
    assert "old cover" in done.left["roughness_length"]
    update(world_run, source, tmp_path / "same.nc", 2015)
    assert (tmp_path / "same.nc").read_bytes() == source.read_bytes()


def test_a_yearly_map_has_its_glaciers_from_cover_types(world_run, make_jsbach, tmp_path):
    """It holds neither masks nor veg_ratio_max."""
    source = make_jsbach("cover_fract_T63_11tiles_2015.nc", masks=False)
    done = update(world_run, source, tmp_path / "new.nc")
    assert done.served == 23 and set(done.changed) == {"cover_fract"}


def test_a_yearly_map_takes_masks_from_the_initial_file(world_run, make_jsbach, tmp_path):
    source = make_jsbach("map.nc", masks=False, cover_types=False)
    done = update(world_run, source, tmp_path / "new.nc", points=make_jsbach("jsbach.nc"))
    assert done.served == 21


def test_twelve_tiles_are_refused(world_run, make_jsbach, tmp_path):
    source = make_jsbach("jsbach.nc", tiles=12)
    with pytest.raises(ConfigError, match=r"cover_fract: cannot be updated: .*'cover_fract_12'"):
        update(world_run, source, tmp_path / "new.nc")
