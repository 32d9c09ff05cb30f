"""GRIB fields on reduced Gaussian grids, by ecCodes."""

import json

import numpy as np
import pytest

from landstep.coupling.host_files.grib_file import GribHostFile
from landstep.coupling.host_files.layout import layout_named
from landstep.coupling.host_files.places import from_list
from landstep.coupling.host_files.update import Task, update_host_file
from landstep.emulator.errors import ConfigError, InputError

eccodes = pytest.importorskip("eccodes")

from landstep.coupling.host_files.grib_library import (  # noqa: E402
    grid_places,
    new_message,
    octahedral_points,
    packed,
    read_messages,
)

GRID = "O32"
OTHER = 129  # geopotential, which is not landstep's


@pytest.mark.parametrize(("grid", "points"), [("O32", 5248), ("N32", 6114), ("O320", 421120)])
def test_grids_have_their_points(grid, points):
    """Numbers of points as ECMWF gives them; north first, and back again."""
    lat, lon = grid_places(grid)
    assert lat.size == points and lat[0] == -lat[-1] > 85 and lon[0] == 0
    if grid[0] == "O":
        assert sum(octahedral_points(int(grid[1:]))) == points


def test_latitudes_are_gaussian():
    """The roots of a Legendre polynomial, whose arcsines are the latitudes."""
    expected = np.rad2deg(np.arcsin(np.polynomial.legendre.leggauss(64)[0]))[::-1]
    np.testing.assert_allclose(np.unique(grid_places("O32")[0])[::-1], expected, atol=1e-8)


def test_cells_of_a_grid_cover_the_globe(rectangle_area):
    """Each ring from midway to midway, the outermost to the poles."""
    assert rectangle_area(from_list(*grid_places("N32"))) == pytest.approx(4 * np.pi, rel=1e-9)


@pytest.mark.parametrize("grid", ["X32", "O", "O0", "N33", "O32.5", "O99999999", "O" + "9" * 5000])
def test_grids_that_are_none_are_refused(grid):
    """With what would be one."""
    with pytest.raises(InputError, match=f"grid '{grid}'"):
        grid_places(grid)


@pytest.mark.parametrize(("tolerance", "bits"), [(1e-2, 8), (1e-4, 16), (1e-7, 24)])
def test_bits_are_as_few_as_keep_the_tolerance(tmp_path, tolerance, bits):
    """Read back, no number is off by more."""
    values = np.linspace(0, 1, 5248)
    (tmp_path / "f.grib").write_bytes(new_message("O32", 27, 20300101, values, tolerance))
    (message,) = read_messages(tmp_path / "f.grib")
    assert message.parameter == 27 and message.month == 1 and message.bits == bits
    assert np.abs(message.values - values).max() <= tolerance


def test_types_stay_whole_numbers(tmp_path):
    """Exactly, in eight bits."""
    values = np.arange(5248) % 21.0
    (tmp_path / "f.grib").write_bytes(new_message("O32", 29, 20300101, values, 0.0))
    (message,) = read_messages(tmp_path / "f.grib")
    assert message.bits == 8 and np.array_equal(message.values, values)


def test_what_no_packing_keeps_is_refused():
    """1e30 beside 1e-6."""
    content = new_message("O32", 27, 20300101, np.zeros(5248), 1e-6)
    values = np.where(np.arange(5248) % 2, 1e30, 1e-6)
    with pytest.raises(InputError, match=r"parameter 27: packed to 32 bits it is off by"):
        packed(content, values, 1e-9)


def test_missing_numbers_stay_missing(tmp_path):
    """A bitmap, as over the sea."""
    values = np.where(np.arange(5248) % 3, 0.5, np.nan)
    content = packed(new_message("O32", 27, 20300101, np.zeros(5248), 1e-6), values, 1e-6)
    (tmp_path / "f.grib").write_bytes(content)
    (message,) = read_messages(tmp_path / "f.grib")
    assert np.array_equal(np.isnan(message.values), np.isnan(values))
    assert message.replaced(message.values, 1e-6) == content


def test_files_that_are_no_grib_are_refused(tmp_path, template):
    """Missing, empty of messages, cut short."""
    with pytest.raises(InputError, match=r"none.grib: cannot be read: No such file"):
        read_messages(tmp_path / "none.grib")
    (tmp_path / "text.grib").write_text("nothing of the kind")
    with pytest.raises(InputError, match=r"text.grib: holds no GRIB message"):
        read_messages(tmp_path / "text.grib")
    (tmp_path / "cut.grib").write_bytes(template.read_bytes()[:-1000])
    with pytest.raises(InputError, match=r"cut.grib: not a whole GRIB file"):
        read_messages(tmp_path / "cut.grib")


def messages_of(path):
    return [(m.parameter, m.month, m.content) for m in read_messages(path)]


def test_a_template_is_updated(template, globe_run, tmp_path):
    """Only messages whose fields moved are others; the reference year gives the file itself."""
    run, experiment = globe_run
    target = tmp_path / "new.grib"
    task = Task("ifs", template, run, experiment, (2017, 2017), target)
    done = update_host_file(task)
    assert 1000 < done.served < 3000 and done.changed["cvl"] > 0
    assert done.left == {"cl": "the file lacks 'cu', which it goes with"}
    before, after = messages_of(template), messages_of(target)
    assert [m[:2] for m in before] == [m[:2] for m in after]
    moved = {old[0] for old, new in zip(before, after, strict=True) if old[2] != new[2]}
    assert {27, 28, 174} <= moved and OTHER not in moved
    layout = layout_named("ifs")
    own, new = (GribHostFile.open(path, layout).fields() for path in (template, target))
    off = np.flatnonzero(np.abs(new["cvl"] - own["cvl"]) > 1e-6)
    assert 0 < off.size <= done.served
    assert new["albedo"].shape == (own["albedo"].shape[0], 12)
    assert np.array_equal(new["tvl"], np.rint(new["tvl"]))
    same = tmp_path / "same.grib"
    update_host_file(Task("ifs", template, run, experiment, (2015, 2015), same))
    assert same.read_bytes() == template.read_bytes()


def test_a_grid_without_a_file(world_run, changed_experiment, tmp_path):
    """Covers and types of landstep alone, with what cannot be made named."""
    run, experiment = world_run
    target = tmp_path / "new.grib"
    with pytest.raises(ConfigError, match=r"--grid: there is no file .* mode = 'absolute'"):
        update_host_file(Task("ifs", None, run, experiment, (2018, 2018), target, grid=GRID))
    absolute = changed_experiment("grid", mode="absolute")
    done = update_host_file(Task("ifs", None, run, absolute, (2018, 2018), target, grid=GRID))
    found = {m.parameter: m for m in read_messages(target)}
    assert set(found) == {26, 27, 28, 29, 30}
    assert found[27].values.max() > 0.1 and set(np.unique(found[29].values)) <= set(range(21))
    assert {"lai_lv", "lai_hv", "albedo"} <= set(done.left)
    assert done.left["cu"] == "parameter 229001 needs GRIB 2: take a file that has it"
    record = json.loads((tmp_path / "new.grib.landstep.json").read_text("utf-8"))
    assert record["source"] == GRID and record["reference"] is None


def test_files_that_lack_fields_or_repeat_them_are_refused(template, tmp_path):
    """Each with its parameter."""
    layout, messages = layout_named("ifs"), read_messages(template)

    def written(name, chosen):
        (tmp_path / name).write_bytes(b"".join(m.content for m in chosen))
        return tmp_path / name

    lacking = written("lacking.grib", [m for m in messages if m.parameter != 29])
    with pytest.raises(InputError, match=r"lacking.grib: lacks tvl \(parameter 29\)"):
        GribHostFile.open(lacking, layout)
    eleven = written("eleven.grib", [m for m in messages if (m.parameter, m.month) != (66, 4)])
    with pytest.raises(InputError, match=r"lai_lv \(parameter 66\): 11 messages of 11 months"):
        GribHostFile.open(eleven, layout)
    other = (tmp_path / "other.grib", new_message("N32", 28, 20000101, np.zeros(6114), 1e-6))
    rest = b"".join(m.content for m in messages if m.parameter != 28)
    other[0].write_bytes(rest + other[1])
    with pytest.raises(InputError, match=r"other.grib: its fields .* lie on 2 grids"):
        GribHostFile.open(other[0], layout)


def test_the_hosts_sea_is_not_served(template, tmp_path):
    """Land-sea mask 172, where the file has it."""
    n = grid_places(GRID)[0].size
    mask = new_message(GRID, 172, 20000101, np.arange(n) % 2.0, 1e-3)
    (tmp_path / "f.grib").write_bytes(template.read_bytes() + mask)
    served = GribHostFile.open(tmp_path / "f.grib", layout_named("ifs")).served
    assert np.array_equal(served, np.arange(n) % 2 == 1)


def test_without_eccodes_the_message_says_how_to_get_it(monkeypatch, tmp_path):
    """The extra `grib`."""
    import sys

    from landstep.emulator.errors import DependencyError

    monkeypatch.setitem(sys.modules, "eccodes", None)
    with pytest.raises(DependencyError, match=r"ecCodes.*landstep\[grib\]"):
        read_messages(tmp_path / "f.grib")


# ---- files that no program should have written ----


def claiming(claimed, values=None):
    """A GRIB 2 message of 16 x 31 points that says it holds as many as told."""
    handle = eccodes.codes_grib_new_from_samples("regular_ll_sfc_grib2")
    size = eccodes.codes_get_size(handle, "values")
    eccodes.codes_set_values(handle, np.zeros(size) if values is None else values(size))
    content = bytearray(eccodes.codes_get_message(handle))
    eccodes.codes_release(handle)
    place = 16
    while bytes(content[place : place + 4]) != b"7777":
        length, section = int.from_bytes(content[place : place + 4], "big"), content[place + 4]
        at = {3: place + 6, 5: place + 5}.get(section)
        if at:
            content[at : at + 4] = claimed.to_bytes(4, "big")
        place += length
    return bytes(content)


@pytest.mark.parametrize("values", [None, lambda n: np.linspace(0, 1, n)])
def test_a_message_that_claims_more_than_it_can_hold_is_refused_before_memory_is_asked_for(
    tmp_path, template, values, capfd
):
    """A constant field needs no bytes at all, so its size is held against the finest grid's."""
    path = tmp_path / "damaged.grib"
    path.write_bytes(template.read_bytes() + claiming(2**32 - 1, values))
    with pytest.raises(InputError) as error:
        read_messages(path)
    for fact in ("damaged.grib", "message 43", "4294967295", "268435456"):
        assert fact in str(error.value), fact
    path.write_bytes(claiming(10**6, lambda n: np.linspace(0, 1, n)))
    with pytest.raises(InputError, match="damaged.grib.*message 1"):
        read_messages(path)
    assert capfd.readouterr() == ("", ""), "ecCodes wrote what it found"


def test_a_path_that_cannot_be_is_refused():
    with pytest.raises(InputError, match="cannot be read: .*null"):
        read_messages("a\0b.grib")


@pytest.mark.parametrize("seed", range(6))
def test_damaged_bytes_are_read_or_refused_and_nothing_is_printed(tmp_path, seed, capfd):
    """Sixteen bytes of a message of a reduced grid and of a regular one, in headers and data."""
    generator = np.random.default_rng(seed)
    whole = [new_message(GRID, 27, 20300101, np.linspace(0, 1, 5248), 1e-2), claiming(496)]
    path = tmp_path / "damaged.grib"
    for _ in range(20):
        content = bytearray(whole[generator.integers(2)])
        for place in generator.integers(0, min(len(content), 300), 16):
            content[place] = generator.integers(256)
        path.write_bytes(content)
        try:
            for message in read_messages(path):
                message.places  # noqa: B018 (read for what it raises)
        except InputError as error:
            assert "damaged.grib" in str(error) or "parameter" in str(error)
    assert capfd.readouterr() == ("", "")


def test_a_value_that_cannot_be_packed_is_named_with_its_file(template, tmp_path):
    """Invariant 18: the file, the parameter, and by how much."""
    file = GribHostFile.open(template, layout_named("ifs"))
    values = np.linspace(0, 1e30, file.points.n)
    with pytest.raises(InputError, match=rf"^{template.name}: .*parameter 27.* off by"):
        file.write_copy(tmp_path / "new.grib", {"cvl": values})
