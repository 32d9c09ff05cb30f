"""The table of a host's fields in the docs."""

import pytest

from landstep.coupling.field_docs import field_table
from landstep.coupling.host_table import host_names, host_table


@pytest.mark.parametrize("name", host_names())
def test_every_field_has_a_line_of_seven_cells(name: str) -> None:
    table = host_table(name, ".")
    lines = field_table(table).splitlines()
    assert len(lines) == len(table.field) + 2
    assert {line.replace("\\|", "").count("|") for line in lines} == {8}
    for line, entry in zip(lines[2:], table.field, strict=True):
        assert line.startswith(f"| `{entry.name}` | {entry.long_name} |")


def test_a_line_says_what_a_share_is_of() -> None:
    text = field_table(host_table("ecland", "."))
    assert (
        "| `cvl` | low vegetation cover | 1 | open (low, high, desert, ice) | 0 to 1 | annual"
        in text
    )
    assert "| whole numbers 0 to 20 |" in text and "| monthly, ecland |" in text


def test_of_a_large_land_unit_only_the_number_is_said() -> None:
    text = field_table(host_table("ctsm", "."))
    assert "| natveg (15 covers) |" in text and "| crop (crop_rainfed, crop_irrigated) |" in text
