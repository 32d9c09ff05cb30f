"""The fields of one host in time: what needs which baseline, and what moves on which day."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from landstep.coupling.areas import Areas
from landstep.coupling.coupler import Coupler
from landstep.coupling.crosswalk import Crosswalk
from landstep.coupling.fields import ClassFields
from landstep.coupling.host_fields import HostFields
from landstep.coupling.seasons import RULES, value_on
from landstep.emulator.classes import scheme
from landstep.emulator.emulator import Emulator
from landstep.emulator.errors import ConfigError, CouplingError, InputError, StepError
from landstep.emulator.experiment import CouplingTable
from landstep.emulator.ranks import Ranks

ALONE = Ranks()
LAT = np.array([50.0, -20.0, 5.0])
SEA, URBAN, CROP, MEADOW, FOREST = range(5)
ANNUAL = ("vegl", "vegh", "typel", "typeh", "pct_green", "pct_town", "pct_ice", "z0", "green")
FIRST = 2015
Coupled = Callable[..., Path]
Cells = dict[str, np.ndarray]


def own() -> dict[str, np.ndarray]:
    """Every field of the small host, as it has it itself, on three points."""
    months = np.arange(12.0)
    return {
        "vegl": np.array([0.3, 0.5, 0.2]),
        "vegh": np.array([0.6, 0.2, 0.1]),
        "typel": np.array([1.0, 2.0, 2.0]),
        "typeh": np.array([3.0, 5.0, 5.0]),
        "pct_green": np.array([70.0, 60.0, 20.0]),
        "pct_town": np.array([30.0, 40.0, 30.0]),
        "pct_ice": np.array([0.0, 0.0, 50.0]),
        "z0": np.array([0.5, 0.1, 0.2]),
        "green": np.array([80.0, 60.0, 20.0]),
        "lail": 2 + np.sin(months / 2) + LAT[:, None] / 100,
        "alb12": 0.2 + 0.01 * np.cos(months) + LAT[:, None] / 1000,
    }


@pytest.fixture
def before(areas_of: Callable[..., Areas]) -> Areas:
    """Land at two points, none at the third."""
    return areas_of(
        {("temperate", MEADOW): 60, ("temperate", FOREST): 40},
        {("tropical", CROP): 50, ("tropical", FOREST): 50},
        {("unknown", SEA): 10},
    )


@pytest.fixture
def after(areas_of: Callable[..., Areas]) -> Areas:
    """The first point lost a tenth of forest to meadow."""
    return areas_of(
        {("temperate", MEADOW): 70, ("temperate", FOREST): 30},
        {("tropical", CROP): 50, ("tropical", FOREST): 50},
        {("unknown", SEA): 10},
    )


def host(
    source: Any, given: dict[str, Any], reference: Areas | None, **settings: Any
) -> HostFields:
    """Fields that have begun; without a baseline there is no reference."""
    fields = HostFields(CouplingTable(**settings), source, scheme("sweden5"), LAT)
    for name, values in given.items():
        fields.give(name, values)
    fields.begin(reference if given else None, ALONE)
    return fields


# ---- names and words ----


def test_an_unknown_field_is_told_with_the_one_that_was_meant(
    small: Crosswalk, before: Areas
) -> None:
    fields = host(small, own(), before)
    with pytest.raises(CouplingError, match="no field 'vegle': did you mean 'vegl'"):
        fields.value(fields.surface(before), "vegle", (FIRST, 1, 1))
    for call in (lambda: fields.give("xyz", np.zeros(3)), lambda: fields.describe("xyz", "units")):
        with pytest.raises(CouplingError, match="no field 'xyz': there are .'alb12', 'green'"):
            call()
    with pytest.raises(CouplingError, match="no class 'wood' in scheme sweden5: .*'forest'"):
        fields.class_number("wood")
    assert fields.class_number("forest") == FOREST


def test_a_field_is_described(small: Crosswalk, before: Areas) -> None:
    fields = host(small, own(), before)
    told = {of: fields.describe("lail", of) for of in ("units", "long_name", "schedule")}
    assert told == {"units": "1", "long_name": "leaf area index, low", "schedule": "monthly"}
    assert fields.describe("vegl", "denominator") == "land"
    assert fields.describe("vegl", "schedule") == "annual"
    assert fields.describe("z0", "units") == "m" and fields.describe("z0", "standard_name") == ""
    with pytest.raises(
        CouplingError, match="'vegl': no attribute 'unit', expected one of .'units'"
    ):
        fields.describe("vegl", "unit")
    classes = host(ClassFields(scheme("sweden5")), {}, None)
    assert classes.describe("area_fraction_forest", "standard_name") == "area_fraction"
    about = fields.about(fields.surface(before), Ranks())["vegl"]
    assert about.pop("points_held_back") == 0
    assert about == {name: fields.describe("vegl", name) for name in about} and "units" in about


# ---- baselines: needed, refused, kept ----


@pytest.mark.parametrize(
    ("given", "name", "words"),
    [
        (
            [],
            "z0",
            r"'z0' needs the host's own 'z0': call baseline\('z0', values\) before the first",
        ),
        (["z0"], "vegl", r"'vegl' needs the host's own 'vegh'.*or set \[coupling\] mode = 'abs"),
        (["vegl", "vegh"], "typel", "'typel' needs the host's own 'typel'"),
        (["vegl", "vegh", "typel"], "lail", "'lail' needs the host's own 'lail'"),
    ],
)
def test_anomaly_names_the_baseline_that_is_missing(
    small: Crosswalk, before: Areas, given: list[str], name: str, words: str
) -> None:
    fields = host(small, {n: own()[n] for n in given}, before, albedo="left")
    with pytest.raises(CouplingError, match=words):
        fields.value(fields.surface(before), name, (FIRST, 1, 1))


def test_half_of_a_sum_is_refused_at_once(small: Crosswalk, before: Areas) -> None:
    with pytest.raises(CouplingError, match="'vegl' needs the host's own 'vegh'"):
        host(small, {"vegl": own()["vegl"]}, before)


def test_absolute_needs_a_baseline_for_months_alone(small: Crosswalk, before: Areas) -> None:
    fields = host(small, {}, before, mode="absolute", albedo="left")
    surface = fields.surface(before)
    for name in ANNUAL:
        assert np.array_equal(fields.value(surface, name, (FIRST, 1, 1)), surface.values[name])
    assert surface.values["vegl"][:2] == pytest.approx([0.6, 0.5], abs=1e-15)
    with pytest.raises(
        CouplingError, match=r"call baseline_monthly\('lail', values\) with \(n, 12\) values before"
    ):
        fields.value(surface, "lail", (FIRST, 1, 1))


def test_months_of_a_type_are_refused_at_once_without_the_type(
    small: Crosswalk, before: Areas
) -> None:
    for mode in ("absolute", "anomaly"):  # absolute mode needs it too: it is no remedy
        words = r"'lail' needs the host's own 'typel': call baseline\('typel', values\) before the "
        with pytest.raises(CouplingError, match=f"{words}first update$"):
            host(small, {n: own()[n] for n in ("lail", "vegl", "vegh")}, before, mode=mode)


def test_absolute_takes_no_notice_of_annual_baselines(small: Crosswalk, before: Areas) -> None:
    """Half of a sum is no harm there, and the fields are landstep's."""
    plain = host(small, {}, before, mode="absolute", albedo="left").surface(before)
    given = {"vegl": own()["vegl"], "alb12": own()["alb12"]}
    fields = host(small, given, before, mode="absolute")
    surface = fields.surface(before)
    for name in ANNUAL:
        assert np.array_equal(surface.values[name], plain.values[name])
    assert fields.value(surface, "alb12", (FIRST, 3, 1)).tolist() == own()["alb12"][:, 2].tolist()


def test_absolute_keeps_the_hosts_own_where_nothing_is_served_or_known(
    small: Crosswalk, before: Areas, after: Areas
) -> None:
    """Not the fill: an ocean's albedo on land that lies outside the map. All of a sum, or none."""
    coverage = np.array([1.0, 0.4, 1.0])
    narrow = [Areas.make(of.values, of.unknown, coverage) for of in (before, after)]
    plain = host(small, {}, narrow[0], mode="absolute", albedo="left").surface(narrow[1])
    fields = host(small, own(), narrow[0], mode="absolute")
    assert fields.served.tolist() == [True, False, False]
    values = fields.surface(narrow[1]).values
    for name in ANNUAL:
        assert values[name].tolist() == [plain.values[name][0], *own()[name][1:]], name
        assert not values[name].flags.writeable
    for name in ("lail", "alb12"):
        assert np.array_equal(values[name][1:], own()[name][1:]), name
    half = host(small, {"vegl": own()["vegl"], "z0": own()["z0"]}, narrow[0],
                mode="absolute", albedo="left").surface(narrow[1]).values  # fmt: skip
    assert np.array_equal(half["vegl"], plain.values["vegl"])
    assert half["z0"].tolist() == [plain.values["z0"][0], *own()["z0"][1:]]
    assert np.array_equal(half["green"], plain.values["green"])


def test_absolute_gives_the_hosts_own_back_where_the_land_is_gone(
    small: Crosswalk, before: Areas, areas_of: Callable[..., Areas]
) -> None:
    drowned = areas_of({("unknown", SEA): 100}, {("tropical", CROP): 100}, {("unknown", SEA): 10})
    values = host(small, own(), before, mode="absolute").surface(drowned).values
    for name in ANNUAL:
        assert values[name][0] == own()[name][0] and values[name][2] == own()[name][2], name
    assert values["vegl"][1] == 1.0


def test_an_albedo_is_asked_for_unless_it_is_left(small: Crosswalk, before: Areas) -> None:
    given = {name: values for name, values in own().items() if name != "alb12"}
    fields = host(small, given, before)
    surface = fields.surface(before)
    for name in ("vegl", "lail"):
        with pytest.raises(CouplingError, match=f"'{name}': this host keeps an albedo of its own"):
            fields.value(surface, name, (FIRST, 1, 1))
    left = host(small, given, before, albedo="left")
    assert np.array_equal(left.value(left.surface(before), "vegl", (FIRST, 1, 1)), own()["vegl"])
    with pytest.raises(CouplingError, match="needs the host's own 'alb12'"):
        left.value(left.surface(before), "alb12", (FIRST, 1, 1))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_baseline_without_a_number_on_land_is_refused(
    small: Crosswalk, before: Areas, value: float
) -> None:
    """It must not become the fill: at sea it does."""
    wrong = own()
    wrong["z0"][1] = value
    with pytest.raises(CouplingError, match=f"'z0': {value} at point 1, expected a finite number"):
        host(small, wrong, before)
    wrong = own()
    wrong["lail"][0, 6] = value
    with pytest.raises(CouplingError, match=f"'lail': {value} at point 0, month 7, expected a fin"):
        host(small, wrong, before)
    at_sea = own()
    at_sea["z0"][2] = at_sea["lail"][2, 3] = value
    fields = host(small, at_sea, before)
    surface = fields.surface(before)
    assert fields.value(surface, "z0", (FIRST, 1, 1)).tolist() == [0.5, 0.1, 0.001]
    assert np.isfinite(surface.values["lail"]).all()
    assert all(np.isfinite(values).all() for values in fields.kept().values())


def test_a_baseline_of_another_shape_or_kind_is_refused_where_it_is_given(
    small: Crosswalk,
) -> None:
    fields = HostFields(CouplingTable(), small, scheme("sweden5"), LAT)
    for values, words in (
        (np.zeros(2), r"shape \(2,\), expected \(3,\)"),
        (np.zeros((3, 12)), r"shape \(3, 12\), expected \(3,\)"),
        (np.array(["a", "b", "c"]), "expected numbers"),
    ):
        with pytest.raises(CouplingError, match=f"baseline 'z0': .*{words}"):
            fields.give("z0", values)
    assert fields.baselines == {}


def test_a_baseline_is_a_copy(small: Crosswalk, before: Areas) -> None:
    given = own()
    fields = HostFields(CouplingTable(), small, scheme("sweden5"), LAT)
    for name, values in given.items():
        fields.give(name, values)
        values[:] = -99
    fields.begin(before, ALONE)
    assert np.array_equal(fields.surface(before).values["z0"], own()["z0"])


def test_the_order_of_baselines_is_no_matter(small: Crosswalk, before: Areas, after: Areas) -> None:
    one = host(small, own(), before).surface(after)
    other = host(small, dict(reversed(own().items())), before).surface(after)
    assert one.values.keys() == other.values.keys()
    for name, values in one.values.items():
        assert np.array_equal(values, other.values[name]), name


# ---- modes ----


def test_anomaly_adds_the_change_and_absolute_takes_landsteps_own(
    small: Crosswalk, before: Areas, after: Areas
) -> None:
    fields = host(small, own(), before)
    same = fields.surface(before)
    for name, values in own().items():
        assert np.array_equal(same.values[name], values), name
    moved = fields.surface(after).values
    assert moved["vegl"] == pytest.approx([0.4, 0.5, 0.2])
    assert moved["vegh"] == pytest.approx([0.5, 0.2, 0.1])
    absolute = host(small, own(), before, mode="absolute").surface(after).values
    assert absolute["vegl"][:2] == pytest.approx([0.7, 0.5])


def test_a_cell_that_lies_mostly_outside_keeps_its_baseline(
    small: Crosswalk, before: Areas, after: Areas
) -> None:
    coverage = np.array([0.4, 1.0, 1.0])
    narrow = [Areas.make(of.values, of.unknown, coverage) for of in (before, after)]
    fields = host(small, own(), narrow[0])
    assert fields.served.tolist() == [False, True, False]
    moved = fields.surface(narrow[1]).values
    for name, values in own().items():
        assert np.array_equal(moved[name], values), name


def test_points_that_are_not_wanted_keep_their_baseline(
    small: Crosswalk, before: Areas, after: Areas
) -> None:
    fields = HostFields(CouplingTable(), small, scheme("sweden5"), LAT)
    for name, values in own().items():
        fields.give(name, values)
    fields.begin(before, ALONE, np.array([False, True, True]))
    assert fields.surface(after).values["vegl"].tolist() == own()["vegl"].tolist()


# ---- days ----


@pytest.mark.parametrize("calendar", ["standard", "noleap", "360_day"])
@pytest.mark.parametrize("rule", RULES)
def test_leaf_area_index_follows_the_rule_that_is_set_and_albedo_the_hosts_own(
    small: Crosswalk, before: Areas, rule: str, calendar: str
) -> None:
    fields = host(small, own(), before, lai=rule, calendar=calendar)
    surface = fields.surface(before)
    for date in ((FIRST, 1, 1), (FIRST, 2, 28), (FIRST, 7, 15), (FIRST, 12, 30)):
        found = fields.value(surface, "lail", date)
        assert np.array_equal(found, value_on(own()["lail"], rule, *date, calendar, LAT))
        assert not found.flags.writeable
        albedo = fields.value(surface, "alb12", date)
        assert np.array_equal(albedo, own()["alb12"][:, date[1] - 1]), "its table says step"


def test_what_moves_between_two_dates(small: Crosswalk, before: Areas) -> None:
    daily = host(small, own(), before, lai="ecland")
    steps = host(small, own(), before)
    none = host(small, {"z0": own()["z0"]}, before, albedo="left")
    for fields, day, month in ((daily, {"lail"}, {"lail", "alb12"}), (none, set(), set())):
        assert fields.moved((FIRST, 1, 1), (FIRST, 1, 2)) == day
        assert fields.moved((FIRST, 1, 31), (FIRST, 2, 1)) == month
        assert fields.moved((FIRST, 1, 1), (FIRST, 1, 1)) == set()
    assert steps.moved((FIRST, 1, 1), (FIRST, 1, 31)) == set()
    assert steps.moved((FIRST, 1, 1), (FIRST, 2, 1)) == {"lail", "alb12"}


# ---- through the coupler ----


def days(first: datetime.date, last: datetime.date) -> Iterator[tuple[int, int, int]]:
    for number in range((last - first).days + 1):
        day = first + datetime.timedelta(number)
        yield day.year, day.month, day.day


@pytest.fixture
def running(coupled: Coupled, cells: Cells) -> Coupler:
    """The made-up world for the small host, with what vegetation and albedo need, in anomaly mode.

    Its leaf area index steps with the month; its albedo moves every day.
    """
    coupler = Coupler.open(coupled("days", mode="anomaly"), **cells, year=FIRST)
    for name, value in (("vegl", 0.3), ("vegh", 0.4), ("typel", 1.0), ("typeh", 5.0)):
        coupler.baseline(name, np.full(12, value))
    coupler.baseline("lail", np.tile(np.arange(1.0, 13.0) / 3, (12, 1)))
    coupler.baseline("alb12", np.tile(0.1 + np.arange(12.0) / 100, (12, 1)))
    return coupler


def test_each_field_moves_on_its_days_and_remembers_what_it_was(running: Coupler) -> None:
    """Day by day over a year's end; `get_previous` against what `get` gave before each move."""
    names = ["vegl", "typeh", "lail", "alb12"]
    last: dict[str, np.ndarray] = {}
    previous: dict[str, np.ndarray] = {}
    for number, date in enumerate(days(datetime.date(2015, 11, 28), datetime.date(2016, 2, 3))):
        moved = running.update(*date)
        now = {name: running.get(name).copy() for name in names}
        annual = number == 0 or date[1:] == (1, 1)
        expected = {"vegl": annual, "typeh": annual, "lail": annual or date[2] == 1, "alb12": True}
        assert {name: running.changed(name) for name in names} == expected, date
        assert moved is True
        for name in names:
            if expected[name]:
                previous[name] = last.get(name, now[name])
            elif number:
                assert np.array_equal(now[name], last[name]), (name, date)
            assert np.array_equal(running.get_previous(name), previous[name]), (name, date)
        last = now
        assert running.update(*date) is False and not running.changed("alb12")
        assert np.array_equal(running.get_previous("alb12"), previous["alb12"])
    assert not np.array_equal(running.get_previous("vegl"), running.get("vegl"))


def test_a_day_that_is_over_does_not_come_again(running: Coupler) -> None:
    running.update(FIRST, 6, 15)
    before = running.get("alb12").copy()
    for date in ((FIRST, 6, 14), (FIRST, 5, 31), (FIRST, 1, 1)):
        with pytest.raises(StepError, match=f"time went back: {FIRST}-{date[1]}-{date[2]} asked, "
                           f"{FIRST}-6-15 reached"):  # fmt: skip
            running.update(*date)
    assert np.array_equal(running.get("alb12"), before)
    assert running.update(FIRST, 6, 16) is True


def test_baselines_come_before_the_first_update(running: Coupler) -> None:
    running.baseline("vegl", np.full(12, 0.25))
    running.update(FIRST, 1, 1)
    assert running.get("vegl").tolist() == [0.25] * 12, "the last one given counts"
    with pytest.raises(StepError, match="'vegl': fields were handed out; give a baseline before"):
        running.baseline("vegl", np.full(12, 0.5))


def test_a_first_update_that_failed_leaves_room_for_what_was_missing(
    coupled: Coupled, cells: Cells
) -> None:
    coupler = Coupler.open(coupled("mended", mode="anomaly"), **cells, year=FIRST)
    coupler.baseline("vegl", np.full(12, 0.3))
    with pytest.raises(CouplingError, match="needs the host's own 'vegh'"):
        coupler.update(FIRST, 1, 1)
    coupler.baseline("vegh", np.full(12, 0.4))
    assert coupler.update(FIRST, 1, 1) is True
    assert coupler.get("vegh").tolist() == [0.4] * 12


def test_a_reference_year_needs_a_map(coupled: Coupled, cells: Cells) -> None:
    """An earlier map is a reference as well; one that is not there is named."""
    words = (
        r"\[coupling\] reference = 1066: the experiment has no map of that year \(it has \d{4} to"
    )
    lost = Coupler.open(coupled("lost", host="classes", reference=1066), **cells, year=FIRST)
    lost.baseline("covered_fraction", np.full(12, 0.5))
    with pytest.raises(ConfigError, match=words):
        lost.update(FIRST, 1, 1)
    early = Coupler.open(coupled("early", host="classes", reference=2000), **cells, year=FIRST)
    early.baseline("dominant_class", np.full(12, 44.0))
    plain = Coupler.open(coupled("plain", host="classes", reference=2000), **cells, year=FIRST)
    for coupler in (early, plain):
        coupler.update(FIRST, 1, 1)
    assert not np.array_equal(early.get("dominant_class"), plain.get("dominant_class"))
    shares = [f"area_fraction_{name}" for name in ("forest", "cropland")]
    assert all(np.array_equal(early.get(name), plain.get(name)) for name in shares)


def test_a_year_outside_the_forcing_leaves_all_as_it_was(running: Coupler) -> None:
    with pytest.raises(StepError, match="2099 asked, 2015 reached: that skips 2016"):
        running.update(2099, 1, 1)
    with pytest.raises(StepError, match="vegl.: no fields yet"):
        running.get("vegl")
    assert running.update(FIRST, 1, 1) is True


def test_years_may_be_skipped_where_that_is_set(coupled: Coupled, cells: Cells) -> None:
    skipping = Coupler.open(coupled("skip", host="classes", skip=True), **cells, year=FIRST)
    steady = Coupler.open(coupled("steady", host="classes"), **cells, year=FIRST)
    skipping.update(FIRST, 1, 1)
    for year in range(FIRST, FIRST + 4):
        steady.update(year, 1, 1)
    assert skipping.update(FIRST + 3, 1, 1) is True
    assert all(np.array_equal(skipping.get(n), steady.get(n)) for n in steady.names())
    assert skipping.year == FIRST + 3


def test_a_skip_beyond_the_forcing_is_refused_before_anything_is_computed(
    coupled: Coupled, cells: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    skipping = Coupler.open(coupled("beyond", host="classes", skip=True), **cells, year=FIRST)
    skipping.update(FIRST, 1, 1)
    monkeypatch.setattr(Emulator, "step", lambda *_: pytest.fail("a year was computed"))
    for _ in range(2):
        with pytest.raises(InputError, match="year 2101 outside 1980-2100.*2015 to 2150"):
            skipping.update(2150, 1, 1)
    assert skipping.year == FIRST and skipping.update(FIRST, 6, 1) is False
    late = coupled("late", host="classes", skip=True, reference=2150)
    later = Coupler.open(late, **cells, year=FIRST)
    later.baseline("dominant_class", np.full(12, 44.0))
    with pytest.raises(InputError, match="year 2101 outside 1980-2100"):
        later.update(FIRST, 1, 1)
