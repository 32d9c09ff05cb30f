"""A file's own fields, as landstep's tables speak of them, and the way back."""

import numpy as np
import pytest

from landstep.coupling.crosswalk import fields_of_host
from landstep.coupling.host_files.layout import RestTable
from landstep.coupling.host_files.own_fields import OwnFields
from landstep.emulator.classes import scheme

REST = RestTable(field="PCT_NATVEG", zero=["PCT_GLACIER", "PCT_WETLAND"])
HELD = {
    "PCT_CROP": np.array([30.0, 10.0]),
    "PCT_LAKE": np.array([5.0, 0.0]),
    **{f"PCT_URBAN_{n}": np.array([1.0, 0.0]) for n in (1, 2, 3)},
}


@pytest.fixture(scope="module")
def ctsm():
    return fields_of_host("ctsm", ".", scheme("hilda8"), True)


def test_a_series_leaves_natural_vegetation_to_be_worked_out(ctsm):
    """100 less the others; ice and wetland are in it."""
    own = OwnFields.make(HELD, ctsm, REST)
    assert own.values["PCT_NATVEG"].tolist() == [62.0, 90.0]
    assert own.values["PCT_GLACIER"].tolist() == [0.0, 0.0]


def test_what_the_file_holds_is_not_worked_out(ctsm):
    """Nor where it holds other parts of the sum than it should."""
    held = {**HELD, "PCT_NATVEG": np.array([60.0, 88.0])}
    assert "PCT_GLACIER" not in OwnFields.make(held, ctsm, REST).values
    without_lake = {name: values for name, values in HELD.items() if name != "PCT_LAKE"}
    assert "PCT_NATVEG" not in OwnFields.make(without_lake, ctsm, REST).values


def test_shares_of_the_cell_become_shares_of_its_land(ctsm):
    """A cell half of which is sea has twice the crops on its land."""
    own = OwnFields.make(HELD, ctsm, REST, sea=np.array([0.5, 0.0]))
    assert own.values["PCT_CROP"].tolist() == [60.0, 10.0]
    back = own.back("PCT_CROP", np.array([70.0, 10.0]))
    assert back[0] == 35.0 and np.isnan(back[1])


def test_a_monthly_field_of_one_day_is_alike_in_all_months():
    """wrfinput's LAI."""
    noahmp = fields_of_host("noahmp", ".", scheme("hilda8"), True)
    own = OwnFields.make({"LAI": np.array([1.0, 2.0])}, noahmp)
    assert own.values["LAI"].shape == (2, 12) and own.days == {"LAI"}
    new = own.values["LAI"].copy()
    new[1] = 3.0
    back = own.back("LAI", new)
    assert back.shape == (2,) and np.isnan(back[0]) and back[1] == 3.0


def test_classes_that_the_table_lacks_stay_and_the_rest_is_a_share_of_what_is_left():
    """Water (17) of WRF's classes: half of a point, nothing of one, all of one."""
    noahmp = fields_of_host("noahmp", ".", scheme("hilda8"), True)
    names = [f"LANDUSEF_{number}" for number in range(1, 22)]
    held = {name: np.zeros(3) for name in names}
    held |= {"LANDUSEF_12": np.array([0.25, 1.0, 0.0]), "LANDUSEF_10": np.array([0.25, 0.0, 0.0])}
    held |= {"LANDUSEF_17": np.array([0.5, 0.0, 1.0])}
    own = OwnFields.make(held, noahmp, others_stay=[names])
    assert own.values["LANDUSEF_12"].tolist() == [0.5, 1.0, 0.0]
    assert own.values.keys() == set(names) - {"LANDUSEF_17", "LANDUSEF_21"}
    assert own.served.tolist() == [True, True, False]
    back = own.back("LANDUSEF_12", np.array([0.75, 1.0, 0.0]))
    assert back[0] == 0.375 and np.isnan(back[1:]).all()
