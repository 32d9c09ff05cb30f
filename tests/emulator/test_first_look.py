"""Files of others: what spins or crashes the NetCDF library is refused, and nothing else."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

import netCDF4
import numpy as np
import pytest

from landstep.data.world import make_world
from landstep.emulator import first_look, first_reader
from landstep.emulator.errors import InputError
from landstep.emulator.experiment import load_experiment
from landstep.emulator.first_look import file_sha256, look, looking
from landstep.emulator.first_reader import READER, FirstReader
from landstep.emulator.inputs import check_files, unverified
from landstep.emulator.inspection import describe
from landstep.emulator.netcdf import NetcdfFile, Variable, write_netcdf
from landstep.emulator.netcdf_edit import edited_copy


def write(path: Path) -> Path:
    """A file as another program writes it, with names in HDF5's global heap."""
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("n", 40)
        file.createDimension("x", 5)
        file.createVariable("name", str, ("n",))[:] = np.array([f"name {i}" * 9 for i in range(40)])
        file.createVariable("a", "f4", ("n", "x"), zlib=True)[:] = np.arange(200).reshape(40, 5)
        file.setncattr_string("title", ["made", "up"])
    return path


def spinning(path: Path) -> Path:
    """The same file with an object of size 0 in its global heap, which HDF5 reads for ever."""
    content = bytearray(write(path).read_bytes())
    heap = content.find(b"GCOL")
    assert heap > 0
    content[heap + 16 : heap + 24] = bytes(8)  # the first object: index 0, of no use
    content[heap + 24 : heap + 32] = bytes(8)  # and its size 0
    path.write_bytes(content)
    return path


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is known of any file."""
    monkeypatch.setattr(first_look, "_KNOWN", {})


def test_a_file_on_which_hdf5_spins_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault 92: for reading and for a copy that is edited."""
    monkeypatch.setattr(first_reader, "SECONDS", 1)
    path = spinning(tmp_path / "a.nc")
    with pytest.raises(InputError, match=r"a\.nc.*1 s of processor time"):
        NetcdfFile(path)
    with pytest.raises(InputError, match=r"a\.nc"), edited_copy(path, tmp_path / "b.nc"):
        raise AssertionError("opened")
    assert [p.name for p in tmp_path.iterdir()] == ["a.nc"]


def test_damaged_files_end_in_a_refusal_or_are_read(tmp_path: Path) -> None:
    """Fault 92 and invariant 17, in the bytes of the global heap, which have no checksum."""
    whole, draw = write(tmp_path / "w.nc").read_bytes(), random.Random(4)
    heap, refused = whole.find(b"GCOL"), 0
    for number in range(25):
        content, path = bytearray(whole), tmp_path / f"{number}.nc"
        for _ in range(draw.choice([1, 2, 8, 40])):
            content[heap + 32 + draw.randrange(2000)] = draw.choice([1, 255, draw.randrange(256)])
        path.write_bytes(content)
        try:
            with NetcdfFile(path) as file:
                file.attrs()
                file.read("a")
                file.stored("name")
        except (InputError, UnicodeDecodeError) as error:
            refused += isinstance(error, InputError)
    assert refused


def test_a_crash_of_one_file_is_not_blamed_on_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What crashes is tried once more, in a new process."""
    path, reader = write(tmp_path / "a.nc"), FirstReader()
    reader.read(path)
    assert reader._process is not None
    reader._process.kill()
    reader.read(path)
    died = first_reader._START.replace(
        "serve(s, f)", "s.sendall(b'ready\\n'); import os; os.abort()"
    )
    monkeypatch.setattr(first_reader, "_START", died)
    reader.stop()
    with pytest.raises(InputError, match=r"a\.nc.*SIGABRT"):
        reader.read(path)
    reader.stop()


def test_where_no_process_can_be_started_files_are_opened_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.nc")
    for program in ("", str(tmp_path / "none"), "/bin/false"):
        monkeypatch.setattr(sys, "executable", program)
        FirstReader().read(path)


def test_the_process_is_started_once_and_ends(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{n}.nc") for n in range(3)]
    with looking():
        for path in paths:
            os.utime(path, (1, 1))
            look(path)
            process = READER._process
            assert process is not None
            look(path)
        assert READER._process is process
    assert READER._process is None and process.poll() == 0


def test_the_process_inherits_no_preloaded_library_and_no_launcher(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A host's sanitizer, malloc or MPI is not the small process's."""
    for name in ("LD_PRELOAD", "ASAN_OPTIONS", "OMPI_COMM_WORLD_SIZE", "PMI_RANK", "PYTHONPATH"):
        monkeypatch.setenv(name, "1")
        assert name not in first_reader._environment()


def test_a_file_of_landstep_needs_no_process(tmp_path: Path) -> None:
    """Its checksum says more."""
    path = tmp_path / "a.nc"
    write_netcdf(path, {"x": 3}, [Variable("a", ("x",), np.arange(3))], {})
    READER.stop()
    looked = look(path)
    assert READER._process is None and looked.sha256 == file_sha256(path)


def test_a_file_that_changed_is_looked_at_again(tmp_path: Path) -> None:
    path = tmp_path / "a.nc"
    write_netcdf(path, {"x": 3}, [Variable("a", ("x",), np.arange(3))], {})
    os.utime(path, (1, 1))
    look(path)
    content = bytearray(path.read_bytes())
    content[-70] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="sha256"):
        look(path)


def test_what_would_be_waited_for_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.nc")
    with pytest.raises(InputError, match=r"a\.nc: is a fifo"):
        NetcdfFile(tmp_path / "a.nc")
    with pytest.raises(InputError, match="device"):
        NetcdfFile("/dev/zero")


def test_inspect_says_whether_a_file_is_verified(tmp_path: Path) -> None:
    path, own = write(tmp_path / "a.nc"), tmp_path / "b.nc"
    write_netcdf(own, {"x": 3}, [Variable("a", ("x",), np.arange(3))], {})
    assert "unverified" in describe(path)
    assert f"verified (sha256 {file_sha256(own)})" in describe(own)


def test_a_run_says_which_inputs_no_checksum_confirms(tmp_path: Path) -> None:
    """Those that another program wrote, less those of [checksums]."""
    folder = tmp_path / "w"
    make_world(folder, seed=3, shape=(60, 60))
    experiment = load_experiment(folder / "experiment.toml")
    check_files(experiment)
    assert unverified(experiment) == ""
    for name in ("soil.nc", "zones.nc"):
        with netCDF4.Dataset(folder / name, "a") as file:
            file.setncattr("edited", "by hand")
    check_files(experiment)
    assert "soil.nc, zones.nc" in unverified(experiment)
    named = experiment.model_copy(
        update={"checksums": {"soil.nc": file_sha256(folder / "soil.nc")}}
    )
    check_files(named)
    assert "soil.nc" not in unverified(named) and "zones.nc" in unverified(named)


def test_a_copy_to_be_changed_is_opened_so_in_the_small_process_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault 92: HDF5 reads more of a file that it may change, and can spin there alone."""
    path, real = write(tmp_path / "a.nc"), READER.read

    def spins(of: Path, *, change: bool = False) -> None:
        if change:
            raise InputError(f"{of}: the NetCDF library does not come to an end")
        real(of)

    with edited_copy(path, tmp_path / "b.nc"):
        pass
    monkeypatch.setattr(READER, "read", spins)
    with pytest.raises(InputError, match=r"a\.nc"), edited_copy(path, tmp_path / "c.nc"):
        raise AssertionError("opened")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.nc", "b.nc"]
