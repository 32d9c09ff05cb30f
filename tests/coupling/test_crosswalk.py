"""From areas to a host's fields."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landstep.coupling.areas import Areas
from landstep.coupling.crosswalk import Crosswalk, fields_of_host
from landstep.coupling.fields import ClassFields, Field, host_fields
from landstep.coupling.host_table import host_table
from landstep.emulator.classes import scheme
from landstep.emulator.errors import ConfigError
from landstep.emulator.legends import ZONE_GROUPS

SEEDS = st.integers(0, 2**32 - 1)
SEA, URBAN, CROP, MEADOW, FOREST = range(5)
UNKNOWN = np.arange(9)[:, None] == ZONE_GROUPS.index("unknown")


def joined(first: Areas, second: Areas) -> Areas:
    return Areas.make(first.values + second.values, first.unknown + second.unknown, first.coverage)


def table_of(text: str, folder: Path) -> Crosswalk:
    (folder / "own.toml").write_text(text, "utf-8")
    return Crosswalk.make(host_table("own.toml", folder), scheme("sweden5"), True)


def test_a_cell_by_hand(small: Crosswalk, areas_of) -> None:
    """400 crop, 300 meadow of the polar zone (.25 grass), 100 forest of it, 200 sea."""
    areas = areas_of({
        ("polar", CROP): 400, ("polar", MEADOW): 300, ("polar", FOREST): 100, ("unknown", SEA): 200
    })  # fmt: skip
    found = {name: value[0] for name, value in small.values(areas).items()}
    assert found["vegl"] == pytest.approx(475 / 800)
    assert found["vegh"] == pytest.approx(100 / 800)
    assert (found["typel"], found["typeh"]) == (1.0, 3.0)
    assert found["pct_green"] == pytest.approx(100 * 575 / 800)
    assert found["pct_ice"] == pytest.approx(100 * 225 / 800)
    logs = 400 * np.log(0.2) + 75 * np.log(0.1) + 75 * np.log(2.0) + 25 * 0 + 225 * np.log(0.01)
    assert found["z0"] == pytest.approx(np.exp(logs / 800))
    assert found["green"] == pytest.approx(100 * (400 * 0.9 + 75 * 0.8 + 100 * 0.9) / 575)
    assert "lail" not in found and "alb12" not in found, "monthly maps are the host's"


def test_a_field_says_what_it_is_a_share_of(small: Crosswalk) -> None:
    fields = {field.name: field for field in small.fields}
    assert all(isinstance(field, Field) for field in small.fields)
    assert fields["vegl"].denominator == "land"
    assert fields["typel"].integer and not fields["vegl"].integer
    assert (fields["lail"].months, fields["lail"].season) == (12, "step")
    assert (fields["lail"].of_type, fields["lail"].of_cover) == ("typel", "vegl")
    assert fields["vegl"].months == 1


@given(seed=SEEDS)
def test_any_areas_give_finite_fields_in_bounds_with_their_sums(
    small: Crosswalk, random_areas, seed: int
) -> None:
    areas = random_areas(seed)
    found, mask = small.values(areas), small.mask(areas)
    for field in small.fields:
        if field.months == 1:
            value = found[field.name]
            assert value.dtype == np.float64 and value.shape == (7,) and not value.flags.writeable
            assert np.isfinite(value).all()
            assert (value >= field.bounds[0]).all() and (value <= field.bounds[1]).all()
            assert (value[~mask] == field.fill).all()
    assert (found["pct_green"] + found["pct_town"] + found["pct_ice"] == 100)[mask].all()
    assert (found["vegl"] + found["vegh"] <= 1).all()
    assert set(found["typel"]) <= {0.0, 1.0, 2.0}, "types are chosen, never interpolated"
    assert set(found["typeh"]) <= {0.0, 3.0, 5.0}


@given(seed=SEEDS)
def test_a_point_alone_has_the_bits_that_it_has_among_others(
    small: Crosswalk, random_areas, seed: int
) -> None:
    areas = random_areas(seed)
    order = np.random.default_rng(seed).permutation(7)
    shuffled = Areas.make(areas.values[order], areas.unknown[order], areas.coverage[order])
    alone = Areas.make(areas.values[2:3], areas.unknown[2:3], areas.coverage[2:3])
    whole = small.values(areas)
    for name, value in small.values(shuffled).items():
        assert np.array_equal(value, whole[name][order])
    for name, value in small.values(alone).items():
        assert np.array_equal(value, whole[name][2:3])


@given(seed=SEEDS)
def test_covers_of_two_parts_are_those_of_the_whole(
    small: Crosswalk, random_areas, seed: int
) -> None:
    """Crosswalk of a sum = sum of crosswalks, and no area is lost; where every zone is known."""
    both = [random_areas(seed + part) for part in range(2)]
    first, second = (
        Areas.make(np.where(UNKNOWN, 0, part.values), part.unknown, part.coverage) for part in both
    )
    whole = small.cover_areas(joined(first, second))
    assert np.allclose(small.cover_areas(first) + small.cover_areas(second), whole, rtol=1e-12)
    total = first.values.sum(axis=(1, 2)) + second.values.sum(axis=(1, 2))
    assert np.allclose(whole.sum(axis=1), total, rtol=1e-12)


def test_a_tie_goes_to_the_first(small: Crosswalk, areas_of) -> None:
    areas = areas_of({("temperate", CROP): 70, ("temperate", MEADOW): 70})
    assert small.values(areas)["typel"][0] == 1.0


def test_a_point_without_land_has_the_fills(small: Crosswalk, areas_of) -> None:
    areas = areas_of({("unknown", SEA): 100}, {})
    assert not small.mask(areas).any()
    found = small.values(areas)
    assert found["pct_green"].tolist() == [10.0, 10.0]
    assert found["pct_town"].tolist() == [30.0, 30.0]
    assert found["z0"].tolist() == [0.001, 0.001]


def test_a_field_of_the_whole_cell_is_its_fill_where_there_is_no_land(
    small_table: str, tmp_path: Path, areas_of
) -> None:
    text = small_table.replace('name = "sea"\n', 'name = "sea"\nproperties = { z0 = 0.5 }\n')
    text = text.replace('covers = ["land"]\nproperty = "z0"', 'covers = ["cell"]\nproperty = "z0"')
    found = table_of(text, tmp_path).values(
        areas_of({("unknown", SEA): 9}, {("unknown", SEA): 9, ("boreal", URBAN): 9})
    )
    assert found["z0"] == pytest.approx([0.001, np.sqrt(0.5 * 1.5)])


def test_land_of_no_known_zone_counts_to_the_most_common_one(small: Crosswalk, areas_of) -> None:
    areas = areas_of(
        {("unknown", FOREST): 50, ("boreal", CROP): 30, ("temperate", CROP): 20},
        {("unknown", FOREST): 50},
    )
    covers = small.cover_areas(areas)
    names = small.table.cover_names
    assert covers[0, names.index("pine")] == 37.5, "as in the boreal zone"
    assert not covers[1].any(), "no zone at all: not known"
    assert small.mask(areas).tolist() == [True, False]


def test_a_forest_of_unknown_type_is_its_zones_mixture(small: Crosswalk, areas_of) -> None:
    areas = areas_of({("boreal", FOREST): 100}, {("tropical", FOREST): 100})
    assert small.values(areas)["typeh"].tolist() == [3.0, 5.0]


def test_a_reciprocal_mean_is_that_of_resistances_in_parallel(
    small_table: str, tmp_path: Path, areas_of
) -> None:
    text = small_table.replace('average = "log"', 'average = "reciprocal"')
    areas = areas_of({("temperate", CROP): 50, ("temperate", URBAN): 50})
    assert table_of(text, tmp_path).values(areas)["z0"][0] == pytest.approx(
        100 / (50 / 0.2 + 50 / 1.5)
    )


def test_a_whole_field_is_all_or_nothing(small_table: str, tmp_path: Path, areas_of) -> None:
    text = small_table.replace('covers = ["ice"]\n', 'covers = ["ice"]\nwhole = true\n')
    areas = areas_of(
        {("polar", MEADOW): 90, ("polar", CROP): 10}, {("polar", MEADOW): 40, ("polar", URBAN): 90}
    )
    found = table_of(text, tmp_path).values(areas)
    assert found["pct_ice"].tolist() == [100.0, 0.0]
    assert found["pct_green"] == pytest.approx([0.0, 10.0])
    assert (found["pct_green"] + found["pct_town"] + found["pct_ice"]).tolist() == [100.0, 100.0]


def test_the_cover_rule_is_the_tables_or_the_one_by_leaf_area(small: Crosswalk, areas_of) -> None:
    areas = areas_of({("temperate", CROP): 100})
    by_lai = Crosswalk.make(small.table, scheme("sweden5"), True, cover="lai")
    assert small.values(areas)["green"][0] == pytest.approx(90.0)
    assert by_lai.values(areas)["green"][0] == pytest.approx(100 * (1 - np.exp(-0.5 * 3.0)))


def test_a_cover_rule_that_the_table_cannot_follow_is_refused(
    small_table: str, tmp_path: Path
) -> None:
    (tmp_path / "own.toml").write_text(small_table.replace(", k = 0.5 }", " }", 1), "utf-8")
    with pytest.raises(ConfigError, match="needs 'k' of cover 'crop'"):
        Crosswalk.make(host_table("own.toml", tmp_path), scheme("sweden5"), True, cover="lai")
    with pytest.raises(ConfigError, match="'example': its table has no effective cover"):
        fields_of_host("example", ".", scheme("hilda8"), False, cover="lai")


def test_a_table_that_tells_zones_apart_asks_for_the_legend(small: Crosswalk) -> None:
    with pytest.raises(ConfigError, match="'pasture_grass_shrub' is .* set \\[climate\\] legend"):
        Crosswalk.make(small.table, scheme("sweden5"), legend_known=False)


def test_a_table_without_rows_for_the_scheme_is_refused(small: Crosswalk) -> None:
    with pytest.raises(ConfigError, match="no rows for class scheme 'hilda8'"):
        Crosswalk.make(small.table, scheme("hilda8"), legend_known=True)


def test_the_example_host_needs_no_legend(areas_of) -> None:
    source = fields_of_host("example", ".", scheme("hilda8"), legend_known=False)
    areas = areas_of({("unknown", 4): 60, ("unknown", 0): 40}, {}, n_classes=8)
    found = source.values(areas)
    tiles = np.stack([found[field.name] for field in source.fields if "tile" in field.name])
    assert tiles[:, 0].tolist() == pytest.approx([0, 0, 0.6, 0, 0.4])
    assert (tiles.sum(axis=0) == 1).all()
    assert found["surface_albedo"][0] == pytest.approx(0.6 * 0.12 + 0.4 * 0.07)


@given(seed=SEEDS)
def test_without_a_table_the_fields_are_the_class_fractions_of_old(random_areas, seed: int) -> None:
    of = scheme("hilda8")
    source, areas = fields_of_host("classes", ".", of, False), random_areas(seed, n_classes=8)
    assert isinstance(source, ClassFields)
    columns = np.concatenate([areas.values.sum(axis=1), areas.unknown[:, None]], axis=1)
    expected = host_fields(columns, areas.coverage, of)
    found = source.values(areas)
    assert list(found) == list(expected) == [field.name for field in source.fields]
    assert all(np.array_equal(found[name], expected[name]) for name in expected)
    assert (
        np.array_equal(source.mask(areas), expected["covered_fraction"] > 0)
        or (areas.coverage == 0).any()
    )
    assert all(field.source for field in source.fields)
