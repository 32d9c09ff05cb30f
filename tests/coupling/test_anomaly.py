"""A host's baseline, and what changed since a reference year."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landstep.coupling.anomaly import Anomaly
from landstep.coupling.areas import Areas
from landstep.coupling.crosswalk import Crosswalk
from landstep.coupling.fields import ClassFields
from landstep.coupling.host_table import host_table
from landstep.emulator.classes import scheme
from landstep.emulator.errors import CouplingError

SEEDS = st.integers(0, 2**32 - 1)
SEA, URBAN, CROP, MEADOW, FOREST = range(5)
N = 7


def baselines_of(seed: int) -> dict[str, np.ndarray]:
    """Fields of a host that sees things otherwise than landstep does."""
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.full(3, 0.5), N)
    percent = rng.dirichlet(np.full(3, 0.5), N) * 100
    return {
        "vegl": shares[:, 0],
        "vegh": shares[:, 1],
        "typel": rng.choice([1.0, 2.0], N),
        "typeh": rng.choice([0.0, 3.0, 5.0], N),
        "pct_green": percent[:, 0],
        "pct_town": percent[:, 1],
        "pct_ice": percent[:, 2],
        "z0": rng.uniform(0.001, 5.0, N),
    }


def mixed(first: Areas, second: Areas, which: np.ndarray) -> Areas:
    """Points of the second where `which`, else of the first."""
    return Areas.make(
        np.where(which[:, None, None], second.values, first.values),
        np.where(which, second.unknown, first.unknown),
        first.coverage,
    )


@given(seed=SEEDS)
def test_in_the_reference_year_the_baseline_has_its_own_bits(
    small: Crosswalk, random_areas, seed: int
) -> None:
    own, areas = baselines_of(seed), random_areas(seed)
    served = Anomaly.make(small, own, areas).values(areas)
    assert served.values.keys() == own.keys()
    for name, value in served.values.items():
        assert np.array_equal(value, own[name]), name
    assert not any(served.clipped.values())


@given(seed=SEEDS)
def test_points_where_nothing_changed_keep_their_bits(
    small: Crosswalk, random_areas, seed: int
) -> None:
    own, before = baselines_of(seed), random_areas(seed)
    which = np.arange(N) % 3 == 1
    served = Anomaly.make(small, own, before).values(mixed(before, random_areas(seed + 1), which))
    for name, value in served.values.items():
        assert np.array_equal(value[~which], own[name][~which]), name


@given(seed=SEEDS)
def test_fields_stay_in_bounds_and_sums_hold(small: Crosswalk, random_areas, seed: int) -> None:
    own, before, after = baselines_of(seed), random_areas(seed), random_areas(seed + 1)
    served = Anomaly.make(small, own, before).values(after).values
    reference, now = small.values(before), small.values(after)
    for field in small.fields:
        if field.name in served:
            value = served[field.name]
            assert np.isfinite(value).all() and not value.flags.writeable
            assert (value >= field.bounds[0]).all() and (value <= field.bounds[1]).all()
    percent = ("pct_green", "pct_town", "pct_ice")
    changed = np.any([now[name] != reference[name] for name in percent], axis=0)
    assert (sum(served[name] for name in percent)[changed] == 100).all()

    def low_and_high(of: dict[str, np.ndarray]) -> np.ndarray:
        return of["vegl"] + of["vegh"]

    wanted = low_and_high(own) + low_and_high(now) - low_and_high(reference)
    assert np.abs(low_and_high(served) - np.clip(wanted, 0, 1)).max() < 1e-12
    assert (low_and_high(served) <= 1).all()
    types = set(own["typel"]) | set(now["typel"])
    assert set(served["typel"]) <= types, "types are chosen, never interpolated"


def test_a_field_moves_by_the_change(small: Crosswalk, areas_of) -> None:
    """A tenth of the cell turns from meadow to forest; the host has other fractions."""
    before = areas_of({("temperate", MEADOW): 60, ("temperate", FOREST): 40})
    after = areas_of({("temperate", MEADOW): 50, ("temperate", FOREST): 50})
    own = {"vegl": np.array([0.3]), "vegh": np.array([0.6])}
    served = Anomaly.make(small, own, before).values(after)
    assert served.values["vegl"][0] == pytest.approx(0.2)
    assert served.values["vegh"][0] == pytest.approx(0.7)
    assert served.clipped == {"vegl": 0, "vegh": 0}


def test_a_baseline_just_out_of_bounds_keeps_its_bits_too(small: Crosswalk, areas_of) -> None:
    areas = areas_of({("temperate", MEADOW): 100})
    own = {"z0": np.array([5.00001]), "vegl": np.array([1.000001]), "vegh": np.array([-1e-7])}
    served = Anomaly.make(small, own, areas).values(areas)
    assert all(np.array_equal(served.values[name], own[name]) for name in own)


def test_what_bounds_hold_back_is_counted(small: Crosswalk, areas_of) -> None:
    before = areas_of({("temperate", MEADOW): 100}, {("temperate", MEADOW): 100})
    after = areas_of({("temperate", FOREST): 100}, {("temperate", MEADOW): 100})
    own = {"vegl": np.array([0.2, 0.2]), "vegh": np.array([0.5, 0.5]), "z0": np.array([4.9, 4.9])}
    served = Anomaly.make(small, own, before).values(after)
    assert served.values["vegl"].tolist() == [0.0, 0.2]
    assert served.values["vegh"][0] == pytest.approx(0.7), "the sum stays 0.7: none was lost"
    assert served.values["z0"].tolist() == [5.0, 4.9]
    assert served.clipped == {"vegl": 1, "vegh": 1, "z0": 1}


def test_a_type_stays_until_landsteps_own_changes(small: Crosswalk, areas_of) -> None:
    before = areas_of(*[{("temperate", CROP): 60, ("temperate", MEADOW): 40}] * 2)
    after = areas_of(
        {("temperate", CROP): 55, ("temperate", MEADOW): 45},
        {("temperate", CROP): 40, ("temperate", MEADOW): 60},
    )
    own = {"vegl": np.array([0.9, 0.9]), "vegh": np.zeros(2), "typel": np.array([2.0, 1.0])}
    served = Anomaly.make(small, own, before).values(after)
    assert served.values["typel"].tolist() == [2.0, 2.0], "grass is the host's; grass has won"


def test_cover_that_appears_brings_its_type(small: Crosswalk, areas_of) -> None:
    """The host has a type (19, say) where it has none of the cover: it means nothing."""
    before = areas_of({("temperate", CROP): 90, ("temperate", FOREST): 10})
    after = areas_of({("temperate", CROP): 80, ("temperate", FOREST): 20})
    own = {"vegl": np.array([0.9]), "vegh": np.zeros(1), "typeh": np.array([3.0])}
    served = Anomaly.make(small, own, before).values(after).values
    assert served["vegh"][0] == pytest.approx(0.1)
    assert served["typeh"][0] == 5.0, "oak, as the temperate zone has it"


def test_a_type_that_lost_its_cover_stays(small: Crosswalk, areas_of) -> None:
    before = areas_of({("temperate", CROP): 90, ("temperate", FOREST): 10})
    after = areas_of({("temperate", CROP): 100})
    own = {"vegl": np.array([0.7]), "vegh": np.array([0.3]), "typeh": np.array([3.0])}
    served = Anomaly.make(small, own, before).values(after).values
    assert served["vegh"][0] == pytest.approx(0.2)
    assert served["typeh"][0] == 3.0


def test_ice_of_the_host_stays_whole(small_table: str, tmp_path: Path, areas_of) -> None:
    text = small_table.replace('covers = ["ice"]\n', 'covers = ["ice"]\nwhole = true\n')
    (tmp_path / "own.toml").write_text(text, "utf-8")
    walk = Crosswalk.make(host_table("own.toml", tmp_path), scheme("sweden5"), True)
    grown = {("polar", CROP): 60, ("polar", URBAN): 40}
    before = areas_of(*[{("polar", CROP): 80, ("polar", URBAN): 20}] * 2, {("polar", CROP): 1})
    after = areas_of(grown, grown, {("polar", MEADOW): 1})
    own = {
        "pct_green": np.array([0.0, 50.0, 30.0]),
        "pct_town": np.array([0.0, 50.0, 70.0]),
        "pct_ice": np.array([100.0, 0.0, 0.0]),
    }
    served = Anomaly.make(walk, own, before).values(after).values
    assert served["pct_ice"].tolist() == [100.0, 0.0, 100.0], "host's; none; landstep's turned"
    assert served["pct_green"] == pytest.approx([0.0, 30.0, 0.0])
    assert served["pct_town"] == pytest.approx([0.0, 70.0, 0.0])


@given(seed=SEEDS)
def test_class_fractions_can_have_a_baseline_too(random_areas, seed: int) -> None:
    source = ClassFields(scheme("sweden5"))
    rng = np.random.default_rng(seed)
    names = source.sums[0].fields
    own = dict(zip(names, rng.dirichlet(np.ones(5), N).T, strict=True))
    before, after = random_areas(seed), random_areas(seed + 1)
    anomaly = Anomaly.make(source, own, before)
    assert all(np.array_equal(anomaly.values(before).values[name], own[name]) for name in names)
    served = anomaly.values(after).values
    changed = np.any(
        [source.values(after)[name] != source.values(before)[name] for name in names], axis=0
    )
    assert (sum(served[name] for name in names)[changed] == 1).all()


def test_a_baseline_that_does_not_sum_to_its_whole_is_refused(random_areas) -> None:
    """FAULTS 29: a tile was forgotten, or fractions are in percent of something else."""
    source = ClassFields(scheme("hilda8"))
    areas = random_areas(3, n_classes=8)
    own = {name: v.copy() for name, v in source.values(areas).items() if name.startswith("area")}
    point = int(np.flatnonzero(source.mask(areas))[0])
    single = {name: values.astype(np.float32) for name, values in own.items()}
    Anomaly.make(source, single, areas)  # rounded to single precision: not an error
    own["area_fraction_forest"][point] += 2e-3
    with pytest.raises(CouplingError, match=rf"sum 1\.002 at point {point} \(1 such"):
        Anomaly.make(source, own, areas)


@pytest.mark.parametrize("given", [True, False])
def test_a_type_is_that_of_the_largest_share_where_the_host_gives_them(
    areas_of, given: bool
) -> None:
    """Landstep's own type stays, but the host's shares pass each other; or the other way round."""
    walk = Crosswalk.make(host_table("noahmp", "."), scheme("hilda8"), legend_known=True)
    names = list(scheme("hilda8").names)
    crop, grass = names.index("cropland"), names.index("pasture")
    before, after = (
        areas_of({("temperate", crop): part, ("temperate", grass): 100 - part}, n_classes=8)
        for part in (90, 60)
    )
    shares = dict.fromkeys((f.name for f in walk.fields if f.name.startswith("LANDUSEF_")), 0.0)
    shares |= {"LANDUSEF_12": 0.6, "LANDUSEF_10": 0.4}
    own = {name: np.array([value]) for name, value in shares.items()} if given else {}
    own["IVGTYP"] = np.array([14.0])
    anomaly = Anomaly.make(walk, own, before)
    assert anomaly.values(before).values["IVGTYP"] == 14
    moved = anomaly.values(after).values
    assert moved["IVGTYP"] == (10 if given else 14)
    assert not given or moved["LANDUSEF_10"] == pytest.approx(0.7)
