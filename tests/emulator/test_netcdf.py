"""NetCDF files: whole ones are read exactly, all others refused with words; writing is atomic."""

from __future__ import annotations

import contextlib
import logging
import os
import random
import signal
import subprocess
import sys
import threading
import time
import weakref

import netCDF4
import numpy as np
import pytest
from scipy.io import netcdf_file

from landstep.emulator.checksum_trailer import drop_trailer
from landstep.emulator.errors import InputError
from landstep.emulator.netcdf import NetcdfFile, Rows, Variable, write_netcdf

NOBODY = 65534


def write_classic(path, values=None, **attributes):
    """Write `urban` (time 3, lat 5, lon 7) as a classic file, without our own code."""
    values = np.arange(105, dtype=">f4").reshape(3, 5, 7) if values is None else values
    with netcdf_file(path, "w") as file:
        for name, size in (("time", None), ("lat", 5), ("lon", 7)):
            file.createDimension(name, size)
        times = file.createVariable("time", "f8", ("time",))
        times[:] = np.arange(3.0)
        times.units = "years since 2015-01-01"
        urban = file.createVariable("urban", values.dtype.char, ("time", "lat", "lon"))
        urban[:] = values
        for name, value in attributes.items():
            setattr(urban, name, value)
    return path


def write_noise(path, shape=(67, 131)):
    """Write incompressible numbers, so that nearly every byte of the file is checked data."""
    data = np.random.default_rng(7).random(shape).astype(np.float32)
    dims = {f"d{n}": size for n, size in enumerate(shape)}
    write_netcdf(path, dims, [Variable("x", tuple(dims), data)], {"title": "noise"})
    return data


@contextlib.contextmanager
def without_rights():
    """Act as a user to whom chmod means something, also where tests run as root."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(was)


def test_a_file_without_permission_is_named_with_its_errno(tmp_path):
    path = write_classic(tmp_path / "a.nc")
    path.chmod(0)
    with without_rights(), pytest.raises(InputError, match=r"a\.nc: Permission denied \(errno 13"):
        NetcdfFile(path)


def test_a_file_that_another_program_writes_hints_at_the_lock(tmp_path):
    path = tmp_path / "a.nc"
    write_noise(path)
    hold = (
        "import netCDF4, sys\nfile = netCDF4.Dataset(sys.argv[1], 'a')\n"
        "print('open', flush=True)\ninput()\n"
    )
    command = [sys.executable, "-c", hold, str(path)]
    environment = os.environ | {"HDF5_USE_FILE_LOCKING": "TRUE"}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as writer:
        assert writer.stdout is not None and writer.stdout.readline() == b"open\n"
        try:
            with pytest.raises(InputError, match="HDF5 lock"):
                NetcdfFile(path)
        finally:
            writer.communicate(b"\n")


def test_an_hdf5_file_cut_short_says_hdf_error_and_its_path(tmp_path):
    path = tmp_path / "a.nc"
    write_noise(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])  # its trailer is gone as well
    with pytest.raises(InputError, match=r"a\.nc: NetCDF: HDF error"):
        NetcdfFile(path)


def test_no_flipped_bit_changes_what_is_read(tmp_path, capfd):
    path = tmp_path / "a.nc"
    data = write_noise(path)
    whole, refused = path.read_bytes(), 0
    draw = random.Random(7)
    for _ in range(60):
        flipped = bytearray(whole)
        flipped[draw.randrange(len(whole) // 4, len(whole))] ^= 1 << draw.randrange(8)
        path.write_bytes(flipped)
        try:
            with NetcdfFile(path) as file:
                assert np.array_equal(file.read("x"), data)
        except InputError as error:
            assert str(path) in str(error)
            refused += 1
    assert refused > 50
    assert capfd.readouterr() == ("", "")


def test_damaged_data_name_the_variable(tmp_path):
    path = tmp_path / "a.nc"
    write_noise(path)
    drop_trailer(path)  # a file of others: only its chunks have a checksum
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 0x10
    path.write_bytes(damaged)
    with NetcdfFile(path) as file, pytest.raises(InputError, match=r"a\.nc, x: .*copy the file"):
        file.read("x")


def test_a_renamed_variable_gets_a_suggestion(tmp_path):
    path = write_classic(tmp_path / "a.nc")
    with NetcdfFile(path) as file, pytest.raises(InputError) as refused:
        file.read("urbn")
    words = "a.nc: urbn not in it; has ['time', 'urban']; did you mean urban?"
    assert str(refused.value) == words


def test_an_index_beyond_the_data_is_refused(tmp_path):
    path = write_classic(tmp_path / "a.nc")
    with NetcdfFile(path) as file, pytest.raises(InputError, match="index 9 outside"):
        file.read("urban", 9)


def test_big_endian_data_leave_in_the_machines_byte_order(tmp_path):
    expected = np.arange(105, dtype=np.float32).reshape(3, 5, 7)
    with NetcdfFile(write_classic(tmp_path / "classic.nc")) as file:
        assert np.array_equal(file.read("urban"), expected)
        assert file.read("urban").dtype.isnative and file.dtype("urban").isnative
    with netCDF4.Dataset(tmp_path / "hdf.nc", "w") as made:
        made.createDimension("n", 105)
        made.createVariable("urban", ">f4", ("n",), endian="big")[:] = expected.ravel()
    with NetcdfFile(tmp_path / "hdf.nc") as file:
        assert np.array_equal(file.read("urban"), expected.ravel())
        assert file.read("urban").dtype.isnative and file.dtype("urban").isnative


@pytest.mark.parametrize("attribute", ["_FillValue", "missing_value", "_Fillvalue", "_fill_value"])
@pytest.mark.parametrize("fill", [1e20, -9999.0, -9e33])
def test_declared_fill_values_become_nan_however_they_are_spelt(tmp_path, attribute, fill):
    values = np.full((3, 5, 7), 0.25, ">f4")
    values[1, 2, 3] = fill
    path = write_classic(tmp_path / "a.nc", values, **{attribute: np.float32(fill)})
    with NetcdfFile(path) as file:
        read = file.read("urban")
        assert file.masked("urban").mask.sum() == 1 and not file.masked("time").mask.any()
    assert type(read) is np.ndarray  # a masked array would lose its mask later
    assert np.isnan(read[1, 2, 3]) and np.isnan(read).sum() == 1


def test_a_misspelt_fill_attribute_is_logged(tmp_path, caplog):
    path = write_classic(tmp_path / "a.nc", _Fillvalue=np.float32(1e20))
    with caplog.at_level(logging.INFO), NetcdfFile(path) as file:
        file.read("urban")
    assert "a.nc, urban: attribute '_Fillvalue' is read as _FillValue" in caplog.text


def test_a_fill_attribute_that_is_no_number_is_logged_and_ignored(tmp_path, caplog):
    path = write_classic(tmp_path / "a.nc", missing_value="none")
    with caplog.at_level(logging.INFO), NetcdfFile(path) as file:
        assert np.isfinite(file.read("urban")).all()
    assert "missing_value is not a number" in caplog.text


def test_values_never_written_are_nan(tmp_path):
    with netCDF4.Dataset(tmp_path / "a.nc", "w") as made:
        made.createDimension("n", 3)
        made.createVariable("x", "f4", ("n",))[:2] = [1, 2]
    with NetcdfFile(tmp_path / "a.nc") as file:
        assert np.array_equal(file.read("x"), [1, 2, np.nan], equal_nan=True)


def test_packed_integers_are_unpacked_and_plain_ones_left_alone(tmp_path):
    with netCDF4.Dataset(tmp_path / "a.nc", "w") as made:
        made.createDimension("n", 3)
        packed = made.createVariable("packed", "i2", ("n",), fill_value=-1)
        packed.setncatts({"scale_factor": 0.5, "add_offset": 10.0})
        packed.set_auto_maskandscale(False)
        packed[:] = [2, -1, 4]
        made.createVariable("plain", "u1", ("n",), fill_value=255)[:] = [0, 1, 255]
    with NetcdfFile(tmp_path / "a.nc") as file:
        assert np.array_equal(file.read("packed"), [11, np.nan, 12], equal_nan=True)
        assert file.read("plain").tolist() == [0, 1, 255]
        assert file.read("plain").dtype == np.uint8


def test_what_was_written_is_read_back_exactly(tmp_path):
    path, draw = tmp_path / "a.nc", np.random.default_rng(3)
    arrays = {
        kind: draw.integers(0, 100, (3, 5, 7)).astype(kind)
        for kind in ("u1", "i2", "i4", "i8", "f4", "f8")
    }
    variables = [
        Variable(f"v_{kind}", ("time", "y", "x"), data, {"units": "1"})
        for kind, data in arrays.items()
    ]
    variables.append(Variable("name", ("y",), np.array(["a", "bb", "c", "d", "ä"])))
    variables.append(Variable("scalar", (), np.array(42)))
    write_netcdf(path, {"time": None, "y": 5, "x": 7}, variables, {"title": "t", "n": np.int32(3)})
    with NetcdfFile(path) as file:
        for kind, data in arrays.items():
            read = file.read(f"v_{kind}")
            assert read.dtype == data.dtype and np.array_equal(read, data)
            assert file.attrs(f"v_{kind}") == {"units": "1"}
        assert file.read("name").tolist() == ["a", "bb", "c", "d", "ä"]
        assert file.read("scalar") == 42
        assert file.attrs() == {"title": "t", "n": 3}
        assert file.dims("v_u1") == ("time", "y", "x") and file.shape("v_u1") == (3, 5, 7)


def test_slabs_are_written_as_they_are_made(tmp_path):
    slabs = (np.full((5, 7), n, np.uint8) for n in range(4))
    made = Variable("x", ("time", "y", "x"), slabs, dtype=np.uint8, fill=255)
    write_netcdf(tmp_path / "a.nc", {"time": 4, "y": 5, "x": 7}, [made], {})
    with NetcdfFile(tmp_path / "a.nc") as file:
        assert np.array_equal(file.read("x")[:, 2, 3], [0, 1, 2, 3])
        assert file.attrs("x")["_FillValue"] == 255


@pytest.mark.parametrize("pieces", [[4, 1, 9, 1], [15], [2] * 7 + [1], [0, 5, 5, 0, 5]])
def test_rows_are_written_in_order_however_they_are_cut(tmp_path, monkeypatch, pieces):
    monkeypatch.setattr("landstep.emulator.netcdf._CHUNK", 2)
    data = np.random.default_rng(5).integers(0, 256, (3, 5, 7)).astype(np.uint8)
    cuts = np.cumsum([0, *pieces])
    for leading, dims in (((3,), {"time": None}), ((3,), {"time": 3}), ((1, 3), {"a": 1, "b": 3})):
        cut = (data.reshape(15, 7)[a:b] for a, b in zip(cuts, cuts[1:], strict=False))
        made = Variable("x", (*dims, "y", "x"), Rows(cut), dtype=np.uint8, fill=255)
        write_netcdf(tmp_path / "a.nc", {**dims, "y": 5, "x": 7}, [made], {})
        with netCDF4.Dataset(tmp_path / "a.nc") as file:
            file.set_auto_mask(False)
            assert np.array_equal(file["x"][...], data.reshape(*leading, 5, 7))
            assert file["x"].chunking()[-2:] == [2, 2]


def test_rows_of_a_map_without_time_need_no_whole_map_in_memory(tmp_path):
    """Of 5000 rows, no more than the 1024 of a row of chunks and the piece at hand are alive."""
    made, most = [], []

    def pieces():
        for top in range(0, 5000, 100):
            piece = np.full((100, 3), top, np.float32)
            made.append(weakref.ref(piece))
            most.append(sum(ref() is not None for ref in made))
            yield piece

    whole = Variable("x", ("y", "x"), Rows(pieces()), dtype=np.float32)
    write_netcdf(tmp_path / "a.nc", {"y": 5000, "x": 3}, [whole], {})
    with NetcdfFile(tmp_path / "a.nc") as file:
        assert np.array_equal(file.read("x")[:, 1], np.repeat(np.arange(0, 5000, 100), 100))
    assert max(most) <= 3


@pytest.mark.parametrize(
    ("shape", "pieces", "words"),
    [
        ((3, 5, 7), [14], r"x: rows end after 4 of step 2, expected \(3, 5, 7\)"),
        ((3, 5, 7), [10], "rows end after 0 of step 2"),
        ((None, 5, 7), [12], "rows end after 2 of step 2"),
        ((3, 5, 7), [15, 1], r"more rows than \(3, 5, 7\) holds"),
        ((3, 5, 6), [15], r"a piece of rows is \(15, 7\), expected \(rows, 6\)"),
        ((5, None), [5], "rows need y and x of known size"),
        ((7,), [1], "rows need y and x of known size"),
    ],
)
def test_rows_that_do_not_fill_the_variable_are_refused(tmp_path, shape, pieces, words):
    dims = {f"d{n}": size for n, size in enumerate(shape)}
    rows = Rows(np.zeros((n, 7), np.uint8) for n in pieces)
    with pytest.raises(InputError, match=words):
        write_netcdf(
            tmp_path / "a.nc", dims, [Variable("x", tuple(dims), rows, dtype=np.uint8)], {}
        )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("way", ["zlib", "zstd", None])
def test_data_are_stored_as_asked_with_a_checksum(tmp_path, way):
    field = Variable("x", ("y",), np.arange(9), compress=way)
    write_netcdf(tmp_path / "a.nc", {"y": 9}, [field], {})
    with netCDF4.Dataset(tmp_path / "a.nc") as file:
        filters = file["x"].filters()
    assert [filters[name] for name in ("zlib", "zstd")] == [way == "zlib", way == "zstd"]
    assert filters["fletcher32"] == (way is not None)
    assert filters["shuffle"] == (way == "zlib")


@pytest.mark.parametrize(
    ("data", "dtype", "words"),
    [
        (np.zeros((5, 7)), None, r"data are \(5, 7\), expected \(3, 5, 7\)"),
        (np.zeros((3, 7, 5)), None, r"data are \(3, 7, 5\), expected"),
        ([np.zeros((5, 7))], np.uint8, "1 slabs, expected 3"),
        ([np.zeros((5, 7))] * 4, np.uint8, "4 slabs, expected 3"),
        ([np.zeros((5, 7))] * 3, None, "dtype is needed"),
        (Rows([np.zeros((15, 7))]), None, "dtype is needed"),
        ([np.zeros((5, 6))] * 3, np.uint8, r"slab 0 is \(5, 6\), expected \(5, 7\)"),
    ],
)
def test_data_of_another_shape_are_not_written(tmp_path, data, dtype, words):
    bad = Variable("x", ("time", "y", "x"), data, dtype=dtype)
    with pytest.raises(InputError, match=words):
        write_netcdf(tmp_path / "a.nc", {"time": 3, "y": 5, "x": 7}, [bad], {})
    assert not list(tmp_path.iterdir())


def test_a_failure_while_slabs_are_made_keeps_the_old_file(tmp_path):
    path = tmp_path / "a.nc"
    data = write_noise(path)

    def slabs():
        yield np.zeros((5, 7))
        raise InputError("the second slab cannot be made")

    bad = Variable("x", ("time", "y", "x"), slabs(), dtype=np.uint8)
    with pytest.raises(InputError, match="second slab"):
        write_netcdf(path, {"time": 3, "y": 5, "x": 7}, [bad], {})
    assert [p.name for p in tmp_path.iterdir()] == ["a.nc"]
    with NetcdfFile(path) as file:
        assert np.array_equal(file.read("x"), data)


def test_writing_where_it_is_not_allowed_names_path_and_reason(tmp_path):
    tmp_path.chmod(0o555)
    try:
        with without_rights(), pytest.raises(InputError, match=r"a\.nc: cannot write: Permission"):
            write_noise(tmp_path / "a.nc")
    finally:
        tmp_path.chmod(0o755)
    with pytest.raises(InputError, match="cannot write: No such file or directory"):
        write_noise(tmp_path / "nowhere" / "a.nc")
    (tmp_path / "folder.nc").mkdir()
    with pytest.raises(InputError, match="cannot write: Is a directory"):
        write_noise(tmp_path / "folder.nc")
    assert [p.name for p in tmp_path.iterdir()] == ["folder.nc"]


def test_a_full_disk_is_named_and_the_old_file_kept(tmp_path):
    """The file-size limit stands for a full disk: HDF5 sees a failing write in both cases."""
    path = tmp_path / "a.nc"
    data = write_noise(path)
    program = (
        "import resource, signal, sys\nimport numpy as np\n"
        "from landstep.emulator.netcdf import Variable, write_netcdf\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))\n"
        "big = np.random.default_rng(1).random((301, 701))\n"
        "try:\n"
        "    x = Variable('x', ('y', 'x'), big)\n"
        "    write_netcdf(sys.argv[1], {'y': 301, 'x': 701}, [x], {})\n"
        "except Exception as error:\n"
        "    print(type(error).__name__, error)\n"
    )
    command = [sys.executable, "-c", program, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"InputError {path}: cannot write: File too large (errno 27)\n"
    assert done.stderr == ""
    assert [p.name for p in tmp_path.iterdir()] == ["a.nc"]
    with NetcdfFile(path) as file:
        assert np.array_equal(file.read("x"), data)


def test_killed_while_writing_a_whole_file_stays(tmp_path):
    path = tmp_path / "a.nc"
    data = write_noise(path, (201, 301))
    program = (
        "import sys\nimport numpy as np\n"
        "from landstep.emulator.netcdf import Variable, write_netcdf\n"
        "x = np.random.default_rng(7).random((201, 301)).astype('f4')\n"
        "print('ready', flush=True)\n"
        "while True:\n"
        "    write_netcdf(sys.argv[1], {'y': 201, 'x': 301}, [Variable('x', ('y', 'x'), x)], {})\n"
    )
    for delay in (0.05, 0.083, 0.127):
        command = [sys.executable, "-c", program, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None and writer.stdout.readline() == b"ready\n"
            time.sleep(delay)
            writer.send_signal(signal.SIGKILL)
        with NetcdfFile(path) as file:
            assert np.array_equal(file.read("x"), data)


def test_a_link_stays_a_link_to_the_new_file(tmp_path):
    write_noise(tmp_path / "real.nc")
    (tmp_path / "link.nc").symlink_to(tmp_path / "real.nc")
    write_noise(tmp_path / "link.nc", (3, 5))
    assert (tmp_path / "link.nc").is_symlink()
    with NetcdfFile(tmp_path / "real.nc") as file:
        assert file.shape("x") == (3, 5)


def test_threads_may_read_and_write_at_once(tmp_path):
    data = write_noise(tmp_path / "a.nc")
    wrong = []

    def work(n):
        for _ in range(8):
            write_noise(tmp_path / f"{n}.nc", (11, 13))
            with NetcdfFile(tmp_path / "a.nc") as file:
                if not np.array_equal(file.read("x"), data):
                    wrong.append(n)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_importing_leaves_the_loaders_flags_alone():
    program = (
        "import sys; flags = sys.getdlopenflags()\n"
        "import landstep.emulator.netcdf\nassert sys.getdlopenflags() == flags"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_time_axis_without_end_is_refused_before_it_is_read(tmp_path):
    with netCDF4.Dataset(tmp_path / "a.nc", "w") as file:
        file.createDimension("time", 2**33)
        file.createVariable("time", "f8", ("time",), zlib=True).units = "days since 1850-01-01"
    with NetcdfFile(tmp_path / "a.nc") as file, pytest.raises(InputError) as caught:
        file.years()
    assert "a.nc, time" in str(caught.value) and str(2**33) in str(caught.value)


def test_lists_of_numbers_are_not_more_dimensions(tmp_path):
    """Lists of one length came out as an array of more dimensions than the file says."""
    with netCDF4.Dataset(tmp_path / "a.nc", "w") as file:
        file.createDimension("place", 2)
        lists = file.createVLType(np.float32, "lists")
        variable = file.createVariable("v", lists, ("place",))
        for place in range(2):
            variable[place] = np.array([1, 2, 3], np.float32)
    with NetcdfFile(tmp_path / "a.nc") as file:
        assert file.dtype("v").kind == "O"
        with pytest.raises(InputError, match="a.nc, v: "):
            file.read("v")
