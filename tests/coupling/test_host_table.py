"""A host's table: read, and refused with the line that is wrong."""

import re
from pathlib import Path

import pytest

from landstep.coupling.host_table import host_names, host_table
from landstep.coupling.table_entries import HostTable
from landstep.coupling.table_lines import line_of
from landstep.emulator.errors import ConfigError

TABLE = (Path(__file__).parent / "small_host.toml").read_text("utf-8")


def refusal(folder: Path, text: str) -> str:
    (folder / "small.toml").write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        host_table("small.toml", folder)
    return str(caught.value)


def test_a_table_of_ones_own_is_read(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(TABLE, "utf-8")
    table = host_table("small.toml", tmp_path)
    assert isinstance(table, HostTable)
    assert table.name == "small"
    assert table.numbers_of(["land"]) == [0, 1, 2, 3, 4, 5]
    assert table.numbers_of(["oak", "low", "crop"]) == [3, 0, 1]
    assert table.numbers_of(["cell"]) == list(range(7))


@pytest.mark.parametrize("name", host_names())
def test_every_builtin_table_is_sound(name: str) -> None:
    assert host_table(name, ".").name == name


def test_builtin_names_hold_ecland_and_the_example() -> None:
    assert {"ecland", "example"} <= set(host_names())


def test_an_unknown_host_is_named_with_the_one_that_was_meant() -> None:
    with pytest.raises(ConfigError, match="host 'eclnd' is not known: did you mean 'ecland'"):
        host_table("eclnd", ".")


def test_a_missing_file_and_a_broken_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no.toml: cannot be read"):
        host_table("no.toml", tmp_path)
    assert "not TOML" in refusal(tmp_path, TABLE + "\n[[row")


PINE = "properties = { lai = 5.0, z0 = 2.0, albedo = 0.1, cover = 0.9, k = 0.5 }"
MIX = "covers = { pine = 0.75, oak = 0.25 }"
POLAR = 'zones = ["polar"]'
MEADOW = 'classes = ["pasture_grass_shrub"]'
LAST = 'fields = ["vegl", "vegh"]'

WRONG = [
    # what is put for what, the line it must name, and the words
    (MIX, "covers = { pine = 0.75, oak = 0.35 }", "sum to 1.1, expected 1"),
    (MIX, "covers = { pine = 1.25, oak = -0.25 }", "share of 'oak' is -0.25"),
    (MIX, "covers = { pine = 0.75, oka = 0.25 }", "unknown cover 'oka': did you mean 'oak'"),
    (POLAR, 'zones = ["pole"]', "unknown zone group 'pole'"),
    ('classes = ["cropland"]', 'classes = ["crop"]', "unknown class 'crop': did you mean"),
    ("type = 3", "type = 3.5", "cover.2.type = 3.5"),
    ("type = 3", "typo = 3", "unknown key 'cover.2.typo'"),
    (PINE, PINE.replace("5.0", "nan"), "finite"),
    ('sources = { lai = "another" }', 'sources = { lia = "x" }', "unknown property 'lia'"),
    ('name = "oak"', 'name = "pine"', "cover 'pine' stands twice"),
    ('low = ["crop", "grass"]', 'low = ["crop", "gras"]', "unknown cover or earlier set 'gras'"),
    ('low = ["crop", "grass"]', 'low = ["crop", "crop"]', "set 'low': 'crop' stands twice"),
    ('low = ["crop", "grass"]', "low = []", "set 'low' has no cover"),
    ('high = ["pine", "oak"]', 'oak = ["pine"]', "set 'oak': the name is taken"),
    ('schemes = ["sweden5"]', 'schemes = ["sweden6"]', "class scheme 'sweden6' is not known"),
    ('albedo = [["alb12"]]', 'albedo = [["alb"]]', "unknown field 'alb'"),
    ('name = "vegh"', 'name = "vegl"', "field 'vegl' stands twice"),
    ('covers = ["low"]\nfill', 'covers = ["lov"]\nfill', "unknown cover or set 'lov'"),
    ('covers = ["low"]\nfill', "covers = []\nfill", "it has no cover"),
    ('covers = ["low"]\nfill', 'covers = ["sea"]\nfill', "outside the denominator 'land'"),
    ('denominator = "land"', 'denominator = "vegetated"', "unknown denominator 'vegetated'"),
    ('covers = ["low"]\nof', 'covers = ["town"]\nof', "cover 'town' has no type"),
    ("bounds = [0.0, 1.0]", "bounds = [0.0, 100.0]", "a fraction has bounds 0 and 1.0"),
    ('of_cover = "vegl"', 'of_cover = "vegg"', "unknown fraction field 'vegg'"),
    ('of_type = "typel"', 'of_type = "vegl"', "unknown type field 'vegl'"),
    ('rule = "type"', 'largest_of = "share"\nrule = "type"',
     "expected a fraction share_1 of cover 'crop' alone"),
    ('property = "z0"', 'property = "zo"', "cover 'crop' has no 'zo'"),
    ('average = "log"', 'whole = true', "rule 'mean' has no key 'whole'"),
    ('average = "log"', 'average = "median"', "field.7.average"),
    ('season = "step"', 'season = "leap"', "field.9.season"),
    (LAST, 'fields = ["vegl", "typel"]', "unknown fraction field 'typel'"),
    (LAST, 'fields = ["vegl", "vegl"]', "is in two sums, or twice in one"),
    ("total = 1\n", "total = 100\n", "the total is not the fields' scale"),
    ("total = 1\n", "total = 2\n", "sum.0.total"),
    ('fields = ["pct_green", "pct_town", "pct_ice"]', 'fields = ["pct_green", "pct_town"]',
     "fills sum to 40: exactly 100"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "words"), WRONG)
def test_a_wrong_entry_is_refused_with_its_line(tmp_path, old, new, words) -> None:
    assert old in TABLE
    text = TABLE.replace(old, new, 1)
    message = refusal(tmp_path, text)
    assert words in message
    found = re.search(r"small\.toml, line (\d+): ", message)
    assert found, message
    wrong = TABLE[: TABLE.index(old)].count("\n") + 1
    assert int(found[1]) == wrong, message


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('zones = ["polar"]', "zones = []", 'schemes = ["sweden5"]', "has no row for zone group"),
        ("low = [", "lower = [", 'land = ["low"', "unknown cover or earlier set 'low'"),
        ('schemes = ["sweden5"]', 'schemes = ["hilda8"]', 'classes = ["not_land"]',
         "unknown class 'not_land'"),
        (LAST, 'fields = ["vegl", "pct_ice"]', "total = 1", "the total is not the fields' scale"),
        ('land = ["low"', 'lend = ["low"', "[sets]", "set 'land' is missing"),
        (POLAR, 'zones = ["polar", "boreal"]', MEADOW + '\nzones = ["polar"',
         "'boreal' has two rows: this and number 4"),
        ("bounds = [0.001, 5.0]", "bounds = [0.01, 5.0]", "fill = 0.001", "outside the bounds"),
        ('rule = "mean"\n', 'rule = "type"\n', 'average = "log"', "has no key 'average'"),
        ('covers = ["land"]\n', "", 'rule = "mean"', "needs key 'covers'"),
        ("fill = 0.0\nbounds = [0.0, 5.0]", "fill = 0.5\nbounds = [0.0, 5.0]", "fill = 0.5",
         "0.5 is no type"),
        ('season = "step"\nschedule = "monthly"', 'season = "step"', "[[field]]\nname = \"lail\"",
         "'annual' does not go with rule 'monthly_type'"),
        ('bounds = [0.0, 10.0]', "bounds = [0.0, 1e6]", "bounds = [0.0, 1e6]", "lie within 1000"),
        ('of_type = "typel"\n', "", 'rule = "monthly_type"', "without 'of_type' it needs"),
        ('of_type = "typel"\n', 'of_type = "typel"\ncovers = ["crop"]\n', 'covers = ["crop"]',
         "leave the key out"),
        ('name = "sea"\nsource = "made up"', 'name = "sea"',
         '[[cover]]\nname = "sea"', "key 'cover.6.source' is missing"),
        ("type = 5", "type = 3", 'covers = ["high"]\nof', "two of its covers have type 3"),
        ('"crop", "grass"]\nhigh', '"crop", "grass", "pine"]\nhigh', 'fields = ["vegl", "vegh"]',
         "a cover is in two of the fields"),
        ('denominator = "land"\nrule = "fraction"\ncovers = ["high"]',
         'denominator = "cell"\nrule = "fraction"\ncovers = ["high"]',
         'fields = ["vegl", "vegh"]', "have different denominators"),
        ("fill = 60.0", "fill = 50.0", 'fields = ["pct_green"', "fills sum to 90: exactly 100"),
        ('covers = ["town"]\nscale', 'covers = ["ice"]\nscale', 'fields = ["pct_green"',
         "a cover is in two"),
        ('covers = ["low", "high"]\nscale', 'covers = ["low"]\nscale', 'fields = ["pct_green"',
         "covers ['oak', 'pine'] of the denominator are in no field"),
        ('covers = ["high"]\nfill', 'covers = ["high"]\nwhole = true\nfill', "whole = true",
         "field 'vegh' is in no sum 'exactly'"),
        ("properties = { z0 = 0.01,", "properties = { z0 = 0.0,", 'average = "log"',
         "'z0' of 'ice' is not above 0"),
    ],
)  # fmt: skip
def test_what_two_entries_contradict_is_refused_where_it_shows(
    tmp_path, old, new, line, words
) -> None:
    assert old in TABLE
    text = TABLE.replace(old, new, 1)
    message = refusal(tmp_path, text)
    assert words in message
    assert f"line {text[: text.index(line)].count(chr(10)) + 1}: " in message


def test_two_whole_fields_are_refused(tmp_path: Path) -> None:
    text = TABLE.replace('covers = ["town"]\n', 'covers = ["town"]\nwhole = true\n')
    text = text.replace('covers = ["ice"]\n', 'covers = ["ice"]\nwhole = true\n')
    assert "two fields are whole" in refusal(tmp_path, text)


def test_lines_are_found_where_the_text_is_not_plain() -> None:
    text = "# [[row]]\n[[row]]\na = [\n  1,\n]\nb = 2\n[other]\nb = 1\n\n [[ row ]]\nc = 3\n"
    assert line_of(text, ("row", 0, "b")) == 6
    assert line_of(text, ("row", 1, "b")) == 10, "not there: the header"
    assert line_of(text, ("row", 1, "c", 4)) == 11
    assert line_of(text, ("other", "b")) == 8
    assert line_of(text, ("row", 7)) == 1
    assert line_of(text, ("nowhere",)) == 1
    assert line_of(text, ()) == 1
