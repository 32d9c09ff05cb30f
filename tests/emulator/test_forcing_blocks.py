"""Forcing on blocks of fine cells: its own size, and whether its quantities were known."""

from __future__ import annotations

import netCDF4
import numpy as np
import pytest

from landstep.emulator.errors import InputError
from landstep.emulator.forcing import Forcing
from landstep.emulator.grid import Blocks

DIMS = ("time", "block_y", "block_x")


def write_blocks(path, values, states=("crop", "wood"), dims=DIMS, **attributes):
    """Write fractions (time, state, y, x) on blocks of fine cells."""
    with netCDF4.Dataset(path, "w") as file:
        for name, size in zip(dims, values[:, 0].shape, strict=True):
            file.createDimension(name, size)
        time = file.createVariable("time", "f8", ("time",))
        time.units, time[:] = "years since 2000-01-01", np.arange(len(values))
        for n, state in enumerate(states):
            file.createVariable(state, "f4", dims)[:] = values[:, n]
        file.setncatts({"block_size": 25, "quantities": "known"} | attributes)
    return path


def test_whole_numbers_are_no_fractions(tmp_path):
    path = write_blocks(tmp_path / "a.nc", np.full((2, 2, 3, 5), 0.5))
    with netCDF4.Dataset(path, "a") as file:
        file.createVariable("town", "i4", DIMS)[:] = 0
    with pytest.raises(InputError, match="town: int32 values, expected floating-point fractions"):
        Forcing.open([path], format="blocks")


def test_blocks_have_a_size_and_say_where_their_numbers_come_from(tmp_path):
    values = np.full((4, 2, 3, 5), 0.4)
    values[2, 1, 2, 3] = 0.3
    forcing = Forcing.open([write_blocks(tmp_path / "a.nc", values)], format="blocks")
    assert forcing.coarse == Blocks(25, (3, 5)) and forcing.states == ("crop", "wood")
    assert forcing.years == (2000, 2003) and forcing.quantities == "known"
    assert np.array_equal(forcing.year(2002), values[2].astype(np.float32))


def test_blocks_refuse_what_blocks_cannot_be(tmp_path):
    values = np.full((2, 2, 3, 5), 0.4)
    with pytest.raises(InputError, match=r"block_size is 0"):
        Forcing.open([write_blocks(tmp_path / "a.nc", values, block_size=0)], format="blocks")
    for n, wrong in enumerate(("many", 1.5, [2, 3], np.inf, 2.0**40)):
        path = write_blocks(tmp_path / f"size{n}.nc", values, block_size=wrong)
        with pytest.raises(InputError, match=rf"size{n}\.nc: attribute block_size is .*expected"):
            Forcing.open([path], format="blocks")
    with pytest.raises(InputError, match=r"quantities is 'guessed', expected 'known'"):
        guessed = write_blocks(tmp_path / "b.nc", values, quantities="guessed")
        Forcing.open([guessed], format="blocks")
    high = write_blocks(tmp_path / "c.nc", values * 2)
    with pytest.raises(InputError, match=r"states sum to 1\.6 at block \(0, 0\)"):
        Forcing.open([high], format="blocks").year(2000)
    luh2 = write_blocks(tmp_path / "d.nc", values, dims=("time", "lat", "lon"))
    with pytest.raises(InputError, match="no variable on dims"):
        Forcing.open([luh2], format="blocks")
    with pytest.raises(InputError, match=r"expected \(time, block_y, block_x\)"):
        Forcing.open([luh2], format="blocks", states=["crop"])


def test_blocks_of_different_size_do_not_join(tmp_path):
    values = np.full((2, 2, 3, 5), 0.4)
    write_blocks(tmp_path / "a.nc", values)
    write_blocks(tmp_path / "b.nc", values, block_size=10)
    with netCDF4.Dataset(tmp_path / "b.nc", "a") as file:
        file["time"][:] = [1, 2]
    with pytest.raises(InputError, match="size=10.*expected .*size=25"):
        Forcing.open([tmp_path / "a.nc", tmp_path / "b.nc"], format="blocks")


@pytest.mark.parametrize("columns", [0, 2**31])
def test_blocks_without_end_and_none_are_refused_before_they_are_counted(tmp_path, columns):
    """A small file may declare them: their columns alone would take 16 GiB."""
    with netCDF4.Dataset(tmp_path / "a.nc", "w") as file:
        file.set_fill_off()
        for dim, size in zip(DIMS, (2, 3, columns), strict=True):
            file.createDimension(dim, size)
        time = file.createVariable("time", "f8", ("time",))
        time.units, time[:] = "years since 850-01-01", [1150, 1151]
        file.createVariable("crop", "f4", DIMS, zlib=True).units = "1"
        file.setncatts({"block_size": 25, "quantities": "known"})
    with pytest.raises(InputError, match=rf"a.nc, crop: 3 x {columns} blocks"):
        Forcing.open([tmp_path / "a.nc"], format="blocks")
