"""JULES's ancillary of surface type fractions, generated: a list of land points, and a grid."""

import netCDF4
import numpy as np
import pytest

from landstep.coupling.host_files.layout import layout_named
from landstep.coupling.host_files.netcdf_file import NetcdfHostFile
from landstep.coupling.host_files.update import Task, update_host_file
from landstep.emulator.errors import InputError

OWN = (0.2, 0.1, 0.3, 0.1, 0.1, 0.05, 0.05, 0.1, 0.0)
"""Shares of the nine types; of ice there is none, but in the first land point, which is all ice."""


@pytest.fixture
def land_points(quarters):
    """Latitudes and longitudes of all quarter degrees of the made-up world but two."""
    lon, lat = np.meshgrid(quarters[1], quarters[0])
    return lat.ravel()[2:], lon.ravel()[2:]


@pytest.fixture
def make_frac(tmp_path, land_points):
    """Write frac(type, land) without places, and a grid file beside it."""

    def make(levels=9, dim="type"):
        n = land_points[0].size
        with netCDF4.Dataset(tmp_path / "frac.nc", "w") as file:
            file.createDimension(dim, levels)
            file.createDimension("land", n)
            values = np.zeros((levels, n))
            values[:9] = np.array(OWN)[:, None]
            values[:, 0] = np.arange(levels) == 8
            file.createVariable("frac", "f4", (dim, "land"))[:] = values
            file.createVariable("lai", "f4", ("land",))[:] = 1.0
        with netCDF4.Dataset(tmp_path / "grid.nc", "w") as file:
            file.createDimension("land", n)
            for name, values in zip(("latitude", "longitude"), land_points, strict=True):
                file.createVariable(name, "f4", ("land",))[:] = values
            share = np.ones(n)
            share[3] = 0.0
            file.createVariable("land_frac", "f4", ("land",))[:] = share
        return tmp_path / "frac.nc", tmp_path / "grid.nc"

    return make


def fractions(path):
    with netCDF4.Dataset(path) as file:
        return np.asarray(file["frac"][:], np.float64)


def test_the_fractions_of_land_points_move_in_their_cells(world_run, make_frac, tmp_path):
    """Places and land from the grid file; sums stay 1, ice stays ice, the sea stays."""
    source, grid = make_frac()
    run, experiment = world_run
    task = Task("jules", source, run, experiment, (2018, 2018), tmp_path / "new.nc", points=grid)
    done = update_host_file(task)
    file = NetcdfHostFile.open(source, layout_named("jules"), grid)
    assert file.points.lon_bounds is not None and file.served.sum() == 21 == done.served
    old, new = fractions(source), fractions(tmp_path / "new.nc")
    moved = (old != new).any(axis=0)
    assert moved.sum() > 5 and not moved[[0, 3]].any()
    np.testing.assert_allclose(new.sum(axis=0), 1.0, atol=1e-6)
    assert "stays with the type" in done.left["lai"]
    same = Task("jules", source, run, experiment, (2015, 2015), tmp_path / "same.nc", points=grid)
    update_host_file(same)
    assert np.array_equal(fractions(tmp_path / "same.nc"), old)


@pytest.mark.parametrize("dim", ["pseudo", "tile"])
def test_dimensions_have_several_usual_names(make_frac, dim):
    source, grid = make_frac(dim=dim)
    file = NetcdfHostFile.open(source, layout_named("jules"), grid)
    assert file.fields()["frac_c4"][1] == pytest.approx(0.1)


def test_other_sets_of_types_are_refused(make_frac):
    """Thirteen types of later set-ups: nothing says which is which."""
    source, grid = make_frac(levels=13)
    with pytest.raises(InputError, match=r"frac.nc, frac: 13 levels, expected 9: frac_bt.*table"):
        NetcdfHostFile.open(source, layout_named("jules"), grid)


def test_a_file_of_fractions_alone_needs_another_with_places(make_frac):
    source, _ = make_frac()
    with pytest.raises(InputError, match=r"frac.nc: lacks latitude, longitude .*--points FILE"):
        NetcdfHostFile.open(source, layout_named("jules"))
