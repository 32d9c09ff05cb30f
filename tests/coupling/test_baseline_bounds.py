"""Bounds and sums of what a host gives: what its own code would not accept is refused.

Rows 29, 84, 85, 86 and 87 of the faults.
"""

from __future__ import annotations

import numpy as np
import pytest

from landstep.coupling.anomaly import Anomaly
from landstep.coupling.baseline import (
    ROUNDING,
    check_sums,
    checked_baseline,
    leaves_without_cover,
    unknown_types,
)
from landstep.coupling.crosswalk import fields_of_host
from landstep.coupling.fields import Field
from landstep.coupling.host_fields import HostFields
from landstep.emulator.classes import scheme
from landstep.emulator.errors import CouplingError
from landstep.emulator.experiment import CouplingTable
from landstep.emulator.ranks import Ranks

HILDA8 = scheme("hilda8")
CODES = {name: number for number, name in enumerate(HILDA8.names)}
LAND = np.ones(3, bool)


def source(host: str):
    return fields_of_host(host, ".", HILDA8, True)


def field(host: str, name: str) -> Field:
    return next(of for of in source(host).fields if of.name == name)


def three(areas_of, *second):
    """Three points of cropland and forest in the temperate zone; the second with other areas."""
    usual = {("temperate", CODES["cropland"]): 50, ("temperate", CODES["forest"]): 50}
    return areas_of(usual, *(second or (usual,)), usual, n_classes=HILDA8.n_classes)


def own(**changes) -> dict[str, np.ndarray]:
    """EcLand's own fields on three points; a value for the second point replaces what is there."""
    of_all: dict[str, np.ndarray] = {
        "cvl": np.array([0.4, 0.5, 1.0]),
        "cvh": np.array([0.5, 0.5, 0.0]),
        "tvl": np.array([1.0, 2.0, 1.0]),
        "tvh": np.array([3.0, 5.0, 19.0]),
        "cl": np.array([0.1, 0.2, 0.0]),
        "cu": np.array([0.0, 0.1, 0.0]),
        "lai_lv": np.full((3, 12), 2.0),
        "lai_hv": np.array([4.0, 4.0, 2.3])[:, None] * np.ones(12),
        "albedo": np.full((3, 12), 0.15),
    }
    for name, value in changes.items():
        of_all[name] = of_all[name].copy()
        of_all[name][1] = value
    return of_all


def begun(areas, given, **settings) -> HostFields:
    table = CouplingTable(host="ecland", **settings)
    fields = HostFields(table, source("ecland"), HILDA8, np.array([50.0, 51.0, 52.0]))
    for name, values in given.items():
        fields.give(name, values)
    fields.begin(areas, Ranks())
    return fields


@pytest.mark.parametrize(
    ("changes", "names", "numbers"),
    [
        ({"cvl": 0.8, "cvh": 0.8}, ("cvl", "cvh"), ("1.6", "1")),
        ({"cl": 0.7, "cu": 0.7}, ("cl", "cu"), ("1.4", "1")),
        ({"cvl": 0.5001, "cvh": 0.5}, ("cvl", "cvh"), ("1.0001", "1")),
        ({"cvl": -0.005}, ("cvl",), ("-0.005", "0.0 to 1.0")),
        ({"cvh": 1.005, "cvl": 0.0}, ("cvh",), ("1.005", "0.0 to 1.0")),
        ({"lai_lv": -0.1}, ("lai_lv",), ("-0.1", "month 1", "0.0 to 10.0")),
        ({"lai_hv": 10.1}, ("lai_hv",), ("10.1", "month 1", "0.0 to 10.0")),
        ({"tvl": 4.5}, ("tvl",), ("4.5", "whole number")),
        ({"tvh": 21.0}, ("tvh",), ("21", "0.0 to 20.0")),
    ],
)
def test_what_ecland_would_not_take_is_refused_with_field_point_and_number(
    areas_of, changes, names, numbers
) -> None:
    """Rows 29, 84 (leaf area), 86 (types) and 87 (lake and town), within 1 % of the bounds too.

    In absolute mode, where landstep adds nothing to them, sums of baselines are the host's affair.
    """
    for mode in ("anomaly", "absolute")[: 1 if len(names) > 1 else 2]:
        with pytest.raises(CouplingError) as error:
            begun(three(areas_of), own(**changes), mode=mode)
        told = str(error.value)
        assert "at point 1" in told and all(name in told for name in names)
        assert all(number in told for number in numbers)


def test_what_packing_and_single_precision_leave_passes_bit_for_bit(areas_of) -> None:
    """Half a step of 16 bits: at the reference year the field is the host's own all the same."""
    given = own(cvl=np.float32(0.7), cvh=1 - np.float32(0.7) + 1e-5, cl=-1e-6)
    fields = begun(three(areas_of), given)
    surface = fields.surface(three(areas_of))
    for name, values in given.items():
        assert np.array_equal(surface.values[name], values), name


def test_a_positive_lowest_value_gives_no_room_below_zero() -> None:
    """A roughness of 0 has no logarithm: slack is of the bound, not of the width of the bounds."""
    rough = field("plasim", "dz0clim")
    assert rough.bounds == (0.0001, 100.0)
    for wrong in (0.0, -0.001, 100.01):
        with pytest.raises(CouplingError, match=f"'dz0clim': {wrong:g} at point 0"):
            checked_baseline(rough, np.array([wrong]), np.array([True]))
    assert checked_baseline(rough, np.array([100 * (1 + ROUNDING)]), np.array([True]))[0] > 100


@pytest.mark.parametrize(
    ("host", "off", "passes"),
    [("ctsm", 1e-9, False), ("ctsm", 5e-12, True), ("jsbach", 5e-7, True), ("jsbach", 2e-6, False)],
)
def test_an_exact_sum_is_held_to_what_the_host_accepts(host, off, passes) -> None:
    """CTSM stops at 1e-13 of a whole; of others single precision is let be."""
    of = source(host)
    group = next(group for group in of.sums if group.exact)
    n = len(group.fields)
    given = {name: np.full(1, group.total / n) for name in group.fields}
    given[group.fields[0]] = given[group.fields[0]] + off
    if passes:
        check_sums(of, given, np.array([True]))
        return
    with pytest.raises(CouplingError, match=f"{group.fields[0]}, .*at point 0 .1 such points"):
        check_sums(of, given, np.array([True]))


def test_ice_of_jules_is_nowhere_or_everywhere() -> None:
    of = source("jules")
    (group,) = of.sums
    given = {name: np.zeros(2) for name in group.fields}
    given["frac_ice"], given["frac_soil"] = np.array([1.0, 0.5]), np.array([0.0, 0.5])
    with pytest.raises(CouplingError, match="'frac_ice': 0.5 at point 1, expected 0 or 1"):
        check_sums(of, given, np.ones(2, bool))
    check_sums(of, given, np.array([True, False]))


def test_points_that_nobody_serves_are_not_looked_at(areas_of) -> None:
    sea = areas_of(
        *[{("temperate", CODES["cropland"]): 100}, {("temperate", CODES["ocean"]): 100}],
        {("temperate", CODES["forest"]): 100},
        n_classes=HILDA8.n_classes,
    )
    given = own(cvl=0.8, cvh=0.8, tvl=4.5, cl=7.0)
    values = begun(sea, given).surface(sea).values
    assert values["cvl"][1] == 0.8 and values["cl"][1] == 7.0


def test_leaves_on_a_cover_of_zero_weigh_nothing_and_are_flagged(areas_of) -> None:
    """Row 85: real files of ecLand have them; the host's own bits stay, and a new cover of that
    type gets the type's mean, to which they added nothing.
    """
    given = own(cvh=0.0, tvh=5.0, lai_hv=5.0)
    before = three(areas_of, {("temperate", CODES["cropland"]): 100})
    after = three(
        areas_of, {("temperate", CODES["cropland"]): 60, ("temperate", CODES["forest"]): 40}
    )
    fields = begun(before, given)
    assert np.array_equal(fields.surface(before).values["lai_hv"], given["lai_hv"])
    told = fields.describe("lai_hv", "notes")
    assert told.startswith("2 of 3 points have lai_hv above 0 where cvh is 0 (point 1: 5)")
    assert fields.describe("lai_lv", "notes") == ""
    about = fields.about(fields.surface(before), Ranks())
    assert about["lai_hv"]["comment"] == told and "comment" not in about["cvh"]
    moved = fields.surface(after).values
    other = begun(before, own(cvh=0.0, tvh=5.0, lai_hv=9.0)).surface(after).values
    assert moved["cvh"][1] == pytest.approx(0.4)
    assert np.array_equal(moved["lai_hv"][1], other["lai_hv"][1]), "what it had did not count"


def test_no_leaves_on_no_cover_are_nothing_to_speak_of() -> None:
    given = own()
    given["lai_hv"][2] = 0.0
    assert leaves_without_cover(source("ecland"), given, LAND) == {}


def test_leaf_area_that_would_pass_its_bounds_is_held_and_counted(areas_of) -> None:
    """Row 84: a host whose forest has 9 where more of it comes at a mean of 30 in the table's
    place cannot come to more than 10.
    """
    fields = begun(three(areas_of), own(lai_hv=9.0, cvh=0.25, cvl=0.5))
    (monthly, means) = next(pair for pair in fields._monthly if pair[0].entry.name == "lai_hv")
    after = three(
        areas_of, {("temperate", CODES["cropland"]): 10, ("temperate", CODES["forest"]): 90}
    )
    served = fields.surface(after).values
    values, held = monthly.values(np.full_like(means, 30.0), after, served)
    assert held == 1 and values[1].max() == 10.0 and values.min() >= 0


def test_lake_comes_first_and_town_gives_way(areas_of, caplog) -> None:
    """Row 87: ecLand takes the lake, then the ice, then the town: what is too much is the town's,
    which is logged, and counted in the observed file.
    """
    before = three(areas_of)
    after = three(
        areas_of, {("temperate", CODES["water"]): 70, ("temperate", CODES["cropland"]): 30}
    )
    fields = begun(before, own(cl=0.4, cu=0.5))
    with caplog.at_level("INFO", "landstep"):
        surface = fields.surface(after)
    lake, town = surface.values["cl"][1], surface.values["cu"][1]
    assert lake == 1.0 and town == 0.0 and surface.clipped["cu"] == 1
    assert any("cu" in record.getMessage() for record in caplog.records)
    less = three(
        areas_of, {("temperate", CODES["water"]): 30, ("temperate", CODES["cropland"]): 70}
    )
    values = fields.surface(less).values
    assert values["cl"][1] == pytest.approx(0.7) and values["cu"][1] == pytest.approx(0.3)
    assert values["cl"][1] + values["cu"][1] <= 1


def test_a_type_that_the_table_lacks_is_the_hosts_own(areas_of) -> None:
    """Local climate zones of WRF, and its water: the point keeps all its fields."""
    of = field("noahmp", "IVGTYP")
    assert unknown_types(of, np.array([5.0, 56.0, 17.0])).tolist() == [False, True, True]
    assert not unknown_types(field("ecland", "tvl"), np.array([25.0])).any()
    fields = HostFields(
        CouplingTable(host="noahmp"), source("noahmp"), HILDA8, np.array([50.0, 51.0, 52.0])
    )
    fields.give("IVGTYP", np.array([12.0, 56.0, 12.0]))
    fields.give("VEGFRA", np.full(3, 40.0))
    before = three(areas_of)
    town = {("temperate", CODES["urban"]): 100}
    fields.begin(before, Ranks())
    after = areas_of(town, town, town, n_classes=HILDA8.n_classes)
    moved = fields.surface(after).values
    assert moved["IVGTYP"].tolist() == [13.0, 56.0, 13.0]
    assert moved["VEGFRA"][1] == 40.0 and moved["VEGFRA"][0] != 40.0
    assert fields.describe("IVGTYP", "notes").startswith("1 of 3 points keep their own fields")
    assert "56" in fields.describe("IVGTYP", "notes")


def test_an_anomaly_checks_sums_on_its_own(small, areas_of) -> None:
    given = {"vegl": np.array([0.8]), "vegh": np.array([0.8])}
    with pytest.raises(CouplingError, match="vegl, vegh: sum 1.6 at point 0 .1 such points., exp"):
        Anomaly.make(small, given, areas_of({("temperate", 3): 100}))
