"""The pages of the docs that speak of hosts, held against the tables and settings as they are."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from landstep.coupling.crosswalk import fields_of_host
from landstep.coupling.field_docs import renewed
from landstep.coupling.host_table import host_names, host_table
from landstep.emulator.classes import scheme
from landstep.emulator.errors import InputError
from landstep.emulator.experiment import ClimateTable, CouplingTable, Experiment
from landstep.emulator.legends import legend

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted((DOCS / "hosts").glob("*.md"))


def blocks(page: Path, language: str) -> list[str]:
    """What stands in a page between ```language and ```."""
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", page.read_text("utf-8"), re.M | re.S)


def test_every_host_has_a_page() -> None:
    of_another = {"example", "noahmp_usgs"}  # the second is told of on the page of noahmp
    assert [page.stem for page in PAGES] == [n for n in host_names() if n not in of_another]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_the_table_of_the_data_file(page: Path) -> None:
    command = "python -m landstep.coupling.field_docs docs/hosts"
    assert page.read_text("utf-8") == renewed(page), f"{page} is behind: renew it with `{command}`"


def test_a_page_without_marks_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "speedy.md"
    page.write_text("# SPEEDY\n\n<!-- fields:speedy -->\n")
    with pytest.raises(InputError, match=r"speedy\.md: expected the lines <!-- fields:speedy -->"):
        renewed(page)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_settings_of_a_page_serve_its_host(page: Path) -> None:
    """With the legend that it names, or none where it says that none is needed."""
    (text,) = blocks(page, "toml")
    settings = tomllib.loads(text)
    assert settings.keys() <= {"climate", "coupling"}
    climate = ClimateTable.model_validate(settings.get("climate", {}))
    coupling = CouplingTable.model_validate(settings["coupling"])
    known = climate.legend is not None and bool(legend(climate.legend).names)
    assert coupling.host == page.stem
    for name in host_table(coupling.host, ".").schemes:
        assert fields_of_host(coupling.host, ".", scheme(name), known).fields


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_sketch_names_fields_that_there_are(page: Path) -> None:
    fields = {entry.name: entry for entry in host_table(page.stem, ".").field}
    calls = [
        call
        for block in blocks(page, "fortran")
        for call in re.findall(r'land%(baseline\w*|get|is_changed)\("(\w+)"', block)
    ]
    in_a_loop = re.search(r"%get\((name|tile_name|trim)\b", page.read_text("utf-8"))
    assert calls or in_a_loop
    for call, name in calls:
        if name.endswith("_"):
            continue
        months = "monthly" if call == "baseline_monthly" else "annual"
        assert call in ("get", "is_changed") or fields[name].schedule == months, (call, name)
        assert name in fields


@pytest.mark.parametrize("name", ["quickstart.md", "coupling.md"])
def test_settings_in_the_docs_can_be_read(name: str) -> None:
    tables = {"climate": ClimateTable, "coupling": CouplingTable}
    found = blocks(DOCS / name, "toml")
    assert found
    for text in found:
        settings = tomllib.loads(text)
        if "land_use" in settings:
            Experiment.model_validate({**settings, "folder": DOCS})
            continue
        for key, table in settings.items():
            tables[key].model_validate(table)


def test_every_setting_has_a_line_in_the_tour() -> None:
    """With the value that it has where it is left out."""
    page = (DOCS / "coupling.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", page, re.M))
    for table in (CouplingTable, ClimateTable):
        for key, field in table.model_fields.items():
            default = field.default
            plain = {"None": "-", "[]": "-", "True": "`true`", "False": "`false`"}
            shown = plain.get(str(default), f'`"{default}"`')
            assert rows[key] == shown, key


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.stem)
def test_what_a_page_points_to_is_there(page: Path) -> None:
    """Links to pages, and files and tests that are named."""
    text = page.read_text("utf-8")
    root = DOCS.parent
    for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text):
        assert (page.parent / target).exists(), target
    rooms = "benchmarks|coupling|data|emulator|evaluation|export|fortran_shim|src|tests|training"
    for named in re.findall(rf"`((?:{rooms})/[\w/]*(?:\.(?:py|toml|f90|c|h)|/))`", text):
        assert (root / named).exists(), named
