"""What a host puts: brought to SI, or refused with what it looks like."""

import numpy as np
import pytest

from landstep.emulator.errors import CouplingError, InputError
from landstep.emulator.host_values import VARIABLES, check_month_means, checked

SOIL = "volume_fraction_of_condensed_water_in_soil"
LIGHT = "surface_downwelling_shortwave_flux_in_air"


@pytest.mark.parametrize(
    ("name", "units", "value", "expected"),
    [
        ("air_temperature", "", 280.0, 280.0),
        ("air_temperature", "K", 280.0, 280.0),
        ("air_temperature", "degC", 10.0, 283.15),
        ("air_temperature", "celsius", -40.0, 233.15),
        ("air_temperature", " degree_Celsius ", 0.0, 273.15),
        ("precipitation_flux", "", 1e-5, 1e-5),
        ("precipitation_flux", "kg m-2 s-1", 1e-5, 1e-5),
        ("precipitation_flux", "mm s-1", 1e-5, 1e-5),
        ("precipitation_flux", "mm day-1", 86.4, 1e-3),
        ("precipitation_flux", "m s-1", 1e-8, 1e-5),
        ("precipitation_flux", "g m-2 s-1", 0.01, 1e-5),
        ("precipitation_flux", "mm h-1", 0.036, 1e-5),
        (SOIL, "1", 0.3, 0.3),
        (SOIL, "m3 m-3", 0.3, 0.3),
        (LIGHT, "W m-2", 340.0, 340.0),
    ],
)
def test_units_are_read(name, units, value, expected):
    found = checked(name, np.array([value], np.float64), units)
    assert found.dtype == np.float64 and found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("kind", ["<f4", ">f4", ">f8", "i4"])
def test_any_real_array_is_taken(kind):
    """Rows 17 to 19: precision, byte order and stride."""
    values = np.arange(200, 300).astype(kind)[::3]
    assert np.array_equal(checked("air_temperature", values), np.arange(200, 300, 3.0))


def test_the_hosts_own_array_is_left_alone():
    values = np.array([250.0, 260.0])
    checked("air_temperature", values)[0] = 0.0
    assert values.tolist() == [250.0, 260.0]


@pytest.mark.parametrize(
    ("name", "units", "values", "words"),
    [
        ("air_temperature", "", [-40.0, 45.0], r"range -40\.\.45 K, .*like degC; pass .*'degC'"),
        ("air_temperature", "degC", [250.0, 310.0], "range 250..310 degC, .*looks like K; pass"),
        ("air_temperature", "", [0.0, 300.0], "range 0..300 K, expected 150 to 350 in K; point 0"),
        ("precipitation_flux", "", [0.0, 57.0], "range 0..57 kg m-2 s-1.*looks like mm/day; pass"),
        ("precipitation_flux", "mm day-1", [0.0, 30000.0], "0..30000 mm/day, .*1 has 30000, n=1"),
        ("precipitation_flux", "", [0.0, -1e-3], r"range -0\.001\.\.0 kg.*point 1 has -0\.001"),
        (SOIL, "1", [5.0, 45.0], "range 5..45 1, .*looks like percent; divide by 100"),
        (LIGHT, "", [0.0, 1e6], "range 0..1e.06 W m-2, expected 0 to 1500 in W m-2; point 1"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_says_what_it_looks_like(name, units, values, words):
    """Rows 27 and 28."""
    with pytest.raises(InputError, match=words):
        checked(name, np.array(values), units)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.nan, r"NaN in air_temperature at point 2, n=1 of 4"),
        (np.inf, r"infinity in air_temperature at point 2, n=1 of 4"),
        (1e20, r"fill value 1e\+20 in air_temperature at point 2"),
        (9.969209968386869e36, r"fill value 9.96921e\+36 in"),
        (-999.0, "fill value -999 in"),
        (-9e33, r"fill value -9e\+33 in"),
    ],
)
@pytest.mark.parametrize("units", ["K", "degC"])
def test_what_is_no_value_is_named_with_its_place(value, words, units):
    """Rows 21 to 23."""
    values = np.full(4, 280.0 if units == "K" else 5.0)
    values[2] = value
    with pytest.raises(InputError, match=words):
        checked("air_temperature", values, units)
    served = np.array([True, True, False, True])
    found = checked("air_temperature", values, units, served)
    assert np.isnan(found[2]) and not np.isnan(found[served]).any()


def test_a_masked_value_is_not_taken_for_a_number():
    """Row 25."""
    values = np.ma.masked_array([280.0, 1e20], [False, True])
    with pytest.raises(InputError, match="NaN in air_temperature at point 1"):
        checked("air_temperature", values)


def test_rain_below_zero_by_rounding_is_none():
    """Row 30."""
    assert checked("precipitation_flux", np.array([-1e-9, 1e-3])).tolist() == [0.0, 1e-3]


@pytest.mark.parametrize(
    ("name", "units", "kind", "words"),
    [
        ("air_temprature", "", float, r"'air_temprature' is not known \(did you mean 'air_temp"),
        ("q", "", float, r"'q' is not known; there are \['air_temperature', "),
        ("air_temperature", "F", float, r"air_temperature in 'F', expected one of \['K', 'degC'"),
        (SOIL, "%", float, r"in '%', expected one of \['1', 'm3 m-3'\]"),
        ("air_temperature", "", complex, "is complex128, expected real numbers"),
    ],
)
def test_a_call_that_cannot_be_is_refused(name, units, kind, words):
    with pytest.raises(CouplingError, match=words):
        checked(name, np.full(3, 280, kind), units)


def test_the_order_of_the_variables_is_fixed():
    """A restart holds their numbers."""
    assert list(VARIABLES) == ["air_temperature", "precipitation_flux", SOIL, LIGHT]


# ---- means over months ----

YEAR = 2031
RAIN = "precipitation_flux"


def of_months(low, high, points=6):
    """Means of twelve months at some points, spread evenly."""
    return np.linspace(low, high, 12 * points).reshape(12, points)


@pytest.mark.parametrize(
    ("name", "means", "looks"),
    [
        (RAIN, of_months(0, 1e-4) * 1000, "g m-2 s-1"),
        (RAIN, of_months(0, 4e-5) * 1000, "g m-2 s-1"),
        (RAIN, of_months(2e-5, 4e-5) * 3600, "mm/h"),
        (RAIN, of_months(2e-5, 4e-5) * 86400, "mm/day"),
        ("air_temperature", of_months(-20, 30), "degC"),
        (LIGHT, of_months(50, 300) * 3.6, "kJ m-2 h-1"),
        (SOIL, of_months(10, 40), "percent"),
    ],
)
def test_a_mean_that_no_month_has_is_refused_with_the_unit_it_looks_like(name, means, looks):
    """Row 100: a step may bring what a month cannot. The likeliest unit comes first."""
    with pytest.raises(InputError, match=f"^{name}: the mean of .* 2031 .*looks like {looks}"):
        check_month_means(name, means, YEAR)


def test_the_message_has_month_point_number_and_what_was_expected():
    means = np.full((12, 5), 3e-5)
    means[6, 3] = means[7, 1] = 0.03
    with pytest.raises(InputError) as error:
        check_month_means(RAIN, means, YEAR)
    for fact in ("July 2031", "0.03 kg m-2 s-1", "point 3", "n=2 of 5", "0 to 0.005"):
        assert fact in str(error.value), fact


def test_the_records_of_the_earth_pass():
    """Cherrapunji, July 1861: 9300 mm. The South Pole's coldest month, Death Valley's hottest."""
    record = 9300 / (31 * 86400)
    check_month_means(RAIN, np.array([[0.0, record]] * 12), YEAR)
    check_month_means("air_temperature", np.array([[205.0, 315.5]] * 12), YEAR)
    check_month_means(LIGHT, np.array([[0.0, 400.0]] * 12), YEAR)
    check_month_means(SOIL, np.array([[0.0, 0.95]] * 12), YEAR)


def test_points_that_are_not_served_have_no_mean():
    means = np.full((12, 2), 3e-5)
    means[:, 1] = np.nan
    check_month_means(RAIN, means, YEAR)
    means[2, 0] = 0.1
    with pytest.raises(InputError, match="March 2031.*point 0"):
        check_month_means(RAIN, means, YEAR)
