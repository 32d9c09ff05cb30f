"""The experiment file: what it may say, and how a slip is named."""

import hashlib
from pathlib import Path

import pytest
from pydantic import BaseModel

from landstep.emulator import builtin
from landstep.emulator.errors import ConfigError, InputError
from landstep.emulator.experiment import load_experiment
from landstep.emulator.tables import read_table

TEXT = """
name = "test"
model = "models/m.onnx"
[land_use]
file = "maps.nc"
scheme = "hilda8"
variant = "forest"
[forcing]
files = ["a.nc", "/data/b.nc"]
[statics]
elevation = "topography.nc"
soil_texture = "soil.nc:texture"
climate_zone = "zones.nc"
"""


@pytest.fixture
def write(tmp_path):
    """Give a function that writes an experiment file, with one text put for another."""

    def write_file(old="", new="", more=""):
        assert old in TEXT
        path = tmp_path / "experiment.toml"
        path.write_text(TEXT.replace(old, new, 1) + more if old else TEXT + more, "utf-8")
        return path

    return write_file


def test_paths_are_relative_to_the_file(write, tmp_path):
    """But for absolute ones; what is not said has its default."""
    experiment = load_experiment(str(write()))
    assert experiment.path(experiment.land_use.file) == tmp_path / "maps.nc"
    assert experiment.path(experiment.forcing.files[1]) == Path("/data/b.nc")
    assert experiment.static_source("soil.nc:texture") == (tmp_path / "soil.nc", "texture")
    assert experiment.static_source("soil.nc") == (tmp_path / "soil.nc", None)
    assert experiment.model_path() == tmp_path / "models" / "m.onnx"
    run = experiment.run
    assert (run.core, run.threads, run.provider) == (None, 1, "cpu")
    assert (experiment.allocation.mode, experiment.observed) == ("exact", "emulate")
    assert experiment.land_use.variable == "LULC_states" and experiment.forcing.format == "luh2"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("model =", "modle =", r"unknown key 'modle' \(did you mean 'model'\?\)"),
        ("variant", "varient", r"unknown key 'land_use.varient' \(did you mean 'variant'\?\)"),
        ("[statics]", "[static]", r"did you mean 'statics'"),
        ('name = "test"', 'name = "t"\nxyz = 1', "unknown key 'xyz'; it may have .*'land_use'"),
        ('name = "test"', 'name = "t"\nfolder = "/"', "unknown key 'folder'"),
        ('scheme = "hilda8"\n', "", "key 'land_use.scheme' is missing"),
        ('files = ["a.nc", "/data/b.nc"]', "files = []", "forcing.files = .*at least 1"),
        ('"test"', "3", "name = 3: "),
        ("[forcing]", '[forcing]\nformat = "luh9"', "forcing.format = 'luh9': .*'luh2'"),
        ("[statics]", "[statics", "not TOML"),
        ("[statics]", "[run]\ncore = 0\n[statics]", "run.core = 0: .*greater than or equal to"),
        ("[statics]", "[run]\nthreads = 0\n[statics]", "run.threads = 0"),
        ("[statics]", '[allocation]\nmode = "hard"\n[statics]', "mode = 'hard': .*'exact'"),
        ("[statics]", '[allocation]\nmod = "exact"\n[statics]', r"'allocation.mod' \(did you mean"),
        ('name = "test"', 'name = "t"\nobserved = "keep"', "observed = 'keep': .*'emulate' or 'co"),
        ("[statics]", '[run]\nprovider = "gpu"\n[statics]', "run.provider = 'gpu': .*'cuda'"),
        ("[statics]", '[run]\nprecision = "bf16"\n[statics]', "run.precision = 'bf16': .*'cpu' "
         "with .*one of: cpu fp32, cuda fp32, tensorrt fp32, openvino fp32, openvino bf16"),
        ("[statics]", '[run]\nprecision = "fp16"\nprovider = "openvino"\n[statics]',
         "run.precision = 'fp16': .*'openvino' with precision 'fp16'"),
        ("[statics]", "[run]\nthreads = true\n[statics]", "run.threads = True: expected no true"),
        ("[statics]", "[run]\ncore = 8.5\n[statics]", "run.core = 8.5: "),
        ('name = "test"', 'name = "t"\nstart = 2015-01-01', "start = datetime.date"),
        ('name = "test"', 'name = "t"\nstart = nan', "start = nan: expected a finite number"),
        ('name = "test"', f'name = "t"\nstart = {2**63}', f"start = {2**63}: .*64 bits"),
        ('name = "test"', 'name = "t"\nname = "u"', "line 3.*given twice"),
        ('"maps.nc"', '"a\\u0000b"', r"land_use.file = .*character '\\x00' \(at place 1\)"),
        ('"maps.nc"', '"a\\nb"', r"land_use.file = .*character '\\n'"),
        ('"maps.nc"', '""', "land_use.file = '': expected a path"),
        ('"a.nc"', '"a\\u007f"', r"forcing.files = .*character '\\x7f'"),
        ('"topography.nc"', '"a\\u0000.nc:v"', r"statics.elevation = .*'\\x00'"),
        ('"models/m.onnx"', f'"{"m" * 256}"', "model = .*a file name of 256 bytes"),
        ('"models/m.onnx"', f'"{"m/" * 2500}"', "model = .*a path of 5000 bytes"),
        ("[statics]", '[coupling]\ndump = "\\u0000"\n[statics]', r"coupling.dump = .*'\\x00'"),
        ('scheme = "hilda8"\n', "", r"'land_use.scheme' is missing; .*'hilda13', 'hilda8'"),
        ('variant = "forest"\n', "", r"'land_use.variant' is missing; .*'forest'"),
    ],
)  # fmt: skip
def test_a_slip_is_named(write, old, new, words):
    """Row 79: file, key, what was found, what was meant."""
    with pytest.raises(ConfigError, match=f"experiment.toml: .*{words}"):
        load_experiment(write(old, new))


def test_an_experiment_that_cannot_be_read_is_named(tmp_path):
    """Missing, a folder, not text, no path."""
    with pytest.raises(ConfigError, match="no.toml: cannot be read: No such file.*is the path"):
        load_experiment(tmp_path / "no.toml")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load_experiment(tmp_path)
    with pytest.raises(ConfigError, match="File name too long"):
        load_experiment(tmp_path / ("x" * 300))
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe5"')
    with pytest.raises(ConfigError, match="latin.toml.*not a text file in UTF-8"):
        load_experiment(tmp_path / "latin.toml")
    with pytest.raises(ConfigError, match="null"):
        load_experiment("a\0b.toml")


@pytest.mark.usefixtures("not_root")
def test_an_experiment_without_permission_is_named(write):
    """Row 53."""
    path = write()
    path.chmod(0)
    with pytest.raises(ConfigError, match="cannot be read: Permission denied"):
        load_experiment(path)


def test_a_model_must_be_named_to_be_run(write):
    """An experiment for training has none."""
    experiment = load_experiment(write('model = "models/m.onnx"\n', ""))
    with pytest.raises(ConfigError, match="experiment 'test': key 'model' is missing"):
        experiment.model_path()


@pytest.mark.parametrize("name", ["nosuch", "../../../models/m", "$(touch here)", ""])
def test_a_builtin_model_is_one_of_the_package(write, name, tmp_path):
    """Row 80: a name, not a path out of the package, and never a command."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "m.onnx").touch()
    experiment = load_experiment(write("models/m.onnx", f"builtin:{name}"))
    with pytest.raises(ConfigError, match=r"does not come with landstep; there are \["):
        experiment.model_path()


def test_a_builtin_model_is_found_by_its_name(write, tmp_path, monkeypatch):
    """In the package's own folder of models."""
    monkeypatch.setattr(builtin.resources, "files", lambda package: tmp_path)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "little.onnx").touch()
    experiment = load_experiment(write("models/m.onnx", "builtin:little"))
    assert experiment.model_path() == tmp_path / "models" / "little.onnx"


def test_shell_characters_are_only_characters(write, tmp_path, monkeypatch):
    """Row 80: nothing is run or expanded, the name is taken as it stands."""
    monkeypatch.chdir(tmp_path)
    for text in ("$(touch ran)", "`touch ran`", "; touch ran", "$HOME/m.onnx", "~/m.onnx", "*.nc"):
        experiment = load_experiment(write("models/m.onnx", text))
        assert experiment.model_path() == tmp_path / text
    assert not (tmp_path / "ran").exists()


def test_checksums_hold_files_to_their_bytes(write, tmp_path):
    """A file altered after the sum was taken is named with both sums."""
    (tmp_path / "maps.nc").write_bytes(b"maps")
    good = hashlib.sha256(b"maps").hexdigest()
    experiment = load_experiment(write(more=f'[checksums]\n"maps.nc" = "{good}"\n'))
    experiment.verify_checksums()
    (tmp_path / "maps.nc").write_bytes(b"mapz")
    bad = hashlib.sha256(b"mapz").hexdigest()
    with pytest.raises(InputError, match=f"maps.nc: sha256 mismatch: expected {good}, got {bad}"):
        experiment.verify_checksums()
    (tmp_path / "maps.nc").unlink()
    with pytest.raises(InputError, match=r"maps.nc: named in \[checksums\].*No such file"):
        experiment.verify_checksums()


@pytest.mark.parametrize(
    "written",
    [str.upper, lambda s: f" {s}\\t", lambda s: " ".join(s[i : i + 2] for i in range(0, 64, 2))],
)
def test_a_checksum_is_taken_as_any_program_prints_it(write, tmp_path, written):
    """PowerShell in capitals, certutil of older Windows with blanks between the bytes."""
    (tmp_path / "maps.nc").write_bytes(b"maps")
    good = hashlib.sha256(b"maps").hexdigest()
    experiment = load_experiment(write(more=f'[checksums]\n"maps.nc" = "{written(good)}"\n'))
    experiment.verify_checksums()
    (tmp_path / "maps.nc").write_bytes(b"mapz")
    with pytest.raises(InputError, match=f"maps.nc.*{good}"):
        experiment.verify_checksums()


@pytest.mark.parametrize("wrong", ["", "0x" + "a" * 62, "a" * 63, "g" * 64, "a" * 65, "d" * 32])
def test_a_checksum_of_another_kind_is_named(write, wrong):
    with pytest.raises(ConfigError, match=f"checksums.*'maps.nc' = '{wrong}'.*64 hexadecimal"):
        load_experiment(write(more=f'[checksums]\n"maps.nc" = "{wrong}"\n'))


def test_any_table_can_be_read_so():
    """`read_table` serves other files as well: values that are not the file's may be given."""

    class Plain(BaseModel, extra="forbid"):
        number: int
        given: str

    with pytest.raises(ConfigError, match="nowhere.toml: cannot be read"):
        read_table(Path("nowhere.toml"), Plain, {"given": "x"})
