"""The kit for stored references, offered to users too."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from landstep.coupling import regress
from landstep.emulator.errors import ConfigError, InputError


@pytest.fixture
def reference(experiment: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "reference"
    said = regress.record(experiment, folder, 2015, 2017)
    assert regress.name_of(folder) in said
    return folder


def test_a_run_agrees_with_its_own_reference(experiment: Path, reference: Path) -> None:
    report = regress.check(experiment, reference)
    assert report.passed
    assert "equal bit for bit" in report.text


def test_years_without_forcing_are_refused_before_any_is_computed(
    experiment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regress.Coupler, "on", None)
    with pytest.raises(InputError, match="states_scenario.nc: year 2101 outside 1980-2100"):
        regress.record(experiment, tmp_path / "reference", 2015, 2200)
    assert not (tmp_path / "reference").exists()


def test_one_changed_cell_fails_the_check(experiment: Path, reference: Path) -> None:
    note, stored = regress.load(reference)
    arrays, provenance = regress.run_reference(experiment, 2015, 2017)
    arrays["map_2017"] = arrays["map_2017"].copy()
    arrays["map_2017"][40, 50] ^= 1
    report = regress.compare(note, stored, arrays, provenance)
    assert not report.passed
    assert "map_2017" in report.text


def test_on_another_instruction_set_bits_are_not_promised(
    experiment: Path, reference: Path
) -> None:
    note, stored = regress.load(reference)
    arrays, provenance = regress.run_reference(experiment, 2015, 2017)
    elsewhere = {**provenance, "instruction_set": "x86_64 other"}
    near = {**arrays, "map_2017": arrays["map_2017"].copy()}
    near["map_2017"][40, 50] ^= 1
    report = regress.compare(note, stored, near, elsewhere)
    assert report.passed and "bits not promised" in report.text
    far = {**arrays, "map_2017": np.zeros_like(arrays["map_2017"])}
    assert not regress.compare(note, stored, far, elsewhere).passed


def test_keys_are_compared_before_values(experiment: Path, reference: Path) -> None:
    note, stored = regress.load(reference)
    arrays, provenance = regress.run_reference(experiment, 2015, 2016)
    report = regress.compare(note, stored, arrays, provenance)
    assert not report.passed and "map_2017" in report.text
    other = regress.compare(note, stored, stored, {**provenance, "model": "another"})
    assert not other.passed and "model" in other.text
    smaller = {**stored, "map_2016": stored["map_2016"][:-1]}
    assert not regress.compare(note, stored, smaller, provenance).passed


def test_a_reference_is_only_replaced_when_asked(experiment: Path, reference: Path) -> None:
    with pytest.raises(ConfigError, match="--replace"):
        regress.record(experiment, reference, 2015, 2016)
    regress.record(experiment, reference, 2015, 2016, replace=True)
    assert regress.load(reference)[0]["last"] == 2016


def test_years_without_a_step_are_refused(experiment: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="2015:2015"):
        regress.record(experiment, tmp_path, 2015, 2015)


def test_a_damaged_reference_is_refused(experiment: Path, reference: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no reference there"):
        regress.check(experiment, tmp_path / "nothing")
    record = reference / regress.RECORD
    note = json.loads(record.read_text())
    record.write_text(json.dumps({**note, "sha256": {**note["sha256"], "map_2016": "0"}}))
    with pytest.raises(InputError, match="map_2016 does not fit"):
        regress.load(reference)
    record.write_text(json.dumps({**note, "format": 0}))
    with pytest.raises(InputError, match="format 0"):
        regress.load(reference)
    (reference / regress.ARRAYS).write_bytes(b"PK not a zip")
    with pytest.raises(InputError, match="damaged"):
        regress.load(reference)
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(InputError, match="is a file, expected a folder"):
        regress.record(experiment, blocked, 2015, 2016)
