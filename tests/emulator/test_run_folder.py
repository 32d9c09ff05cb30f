"""The folder of a run: whose it is, one run at a time, nothing half-written left in it."""

import json
import os
import subprocess
import sys

import pytest

from landstep import Emulator
from landstep.emulator.errors import ConfigError, InputError
from landstep.emulator.run_folder import RECORD, begin, held_folder, holds, identity


def test_a_folder_goes_on_with_its_own_run_only(experiment, tmp_path):
    emulator = Emulator.open(experiment)
    of = identity(emulator, "map of 2015")
    sizes = {path.name: path.stat().st_size for path in emulator.experiment.input_files()}
    assert of["input_bytes"] == sizes and len(sizes) == 6
    assert of["model_sha256"] == emulator.session.sha256
    assert not holds(tmp_path, of)
    begin(tmp_path, of)
    assert holds(tmp_path, json.loads(json.dumps(of)))
    other = of | {"start": "map of 2016"}
    words = "holds another run: its start is 'map of 2015', this run has 'map of 2016'; name anoth"
    with pytest.raises(ConfigError, match=words):
        holds(tmp_path, other)
    begin(tmp_path, other)
    assert holds(tmp_path, other)


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        (("threads = 1", "threads = 1\ncore = 64"), []),
        (('observed = "copy"\n', ""), ["settings_sha256"]),
        (('mode = "exact"', 'mode = "soft" '), ["settings_sha256"]),
    ],
)
def test_settings_that_change_no_map_leave_a_run_the_same(experiment, change, differs):
    """Window size is one; what is copied and how quotas bind are not."""
    text = 'observed = "copy"\n' + experiment.read_text("utf-8")
    text += '\n[allocation]\nmode = "exact"\n' * ("[allocation]" not in text)
    assert change[0] in text
    kinds = []
    for number, written in enumerate((text, text.replace(*change))):
        path = experiment.parent / f"same{number}.toml"
        path.write_text(written, "utf-8")
        kinds.append(identity(Emulator.open(path), "map of 2015"))
    assert [name for name in kinds[0] if kinds[0][name] != kinds[1][name]] == differs


def test_a_restart_of_another_run_is_kept_and_not_gone_on_with(tmp_path):
    """A restart file without a record may be anyone's."""
    (tmp_path / "restart.nc").write_text("of another run")
    assert not holds(tmp_path, {"start": "map of 2015"})
    begin(tmp_path, {"start": "map of 2015"})
    assert not (tmp_path / "restart.nc").exists()
    assert (tmp_path / "restart.nc.previous").read_text() == "of another run"


def test_a_record_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / RECORD).write_text("{")
    with pytest.raises(InputError, match=r"run.json: cannot be read \(.*begin anew with --fresh"):
        holds(tmp_path, {"start": "x"})


def test_what_a_killed_run_left_is_removed(tmp_path):
    left = tmp_path / f".land_use_2016.nc.{'0a' * 16}.tmp"
    mine = tmp_path / ".notes.tmp"
    for path in (left, mine):
        path.touch()
    with held_folder(tmp_path):
        assert not left.exists() and mine.exists()


def test_one_run_at_a_time_is_in_a_folder(tmp_path):
    hold = (
        "import sys; from pathlib import Path; from landstep.emulator.run_folder import *\n"
        "with held_folder(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", hold, str(tmp_path)]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as other:
        assert other.stdout.readline() == "held\n"
        words = "another run is writing into it"
        with pytest.raises(ConfigError, match=words), held_folder(tmp_path):
            pass
        other.communicate("")
    with held_folder(tmp_path):
        pass


@pytest.mark.parametrize("name", ["land_use_2016.nc", "restart.nc", "run.json"])
def test_what_is_no_file_is_named_before_a_year_is_computed(tmp_path, name):
    """Fault 93: a fifo would be waited for, a device be replaced."""
    os.mkfifo(tmp_path / name)
    with pytest.raises(InputError, match=name), held_folder(tmp_path):
        raise AssertionError("held")
    if name == "run.json":
        with pytest.raises(InputError, match=name):
            holds(tmp_path, {})


def test_a_run_that_begins_anew_follows_no_link_out_of_its_folder(tmp_path):
    """Fault 93. Without --fresh a link that a user set is followed."""
    folder, other = tmp_path / "run", tmp_path / "other.nc"
    folder.mkdir()
    other.write_text("another's")
    (folder / "land_use_2016.nc").symlink_to(other)
    with pytest.raises(InputError, match=r"land_use_2016\.nc"):
        begin(folder, {}, fresh=True)
    begin(folder, {})
    assert other.read_text() == "another's" and (folder / RECORD).exists()
