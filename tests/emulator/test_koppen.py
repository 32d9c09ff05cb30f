"""Köppen-Geiger classes: known places, the table's edges, and what holds for every climate."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from landstep.emulator.errors import InputError
from landstep.emulator.koppen import KOPPEN_NAMES, koppen_geiger

# Close to the normals of these services, but written from memory and not held against them: monthly
# mean temperature (degC), precipitation (mm), and annual precipitation, against a slip of the pen.
PLACES = {
    # Meteorological Service Singapore, Changi, 1991-2020
    "Singapore": ("Af", [26.8, 27.3, 27.8, 28.2, 28.6, 28.5, 28.2, 28.1, 28.0, 27.9, 27.2, 26.8],
                  [221.6, 105.1, 151.7, 164.3, 164.3, 135.3, 146.6, 146.9, 124.9, 168.3, 252.3,
                   331.9], 2113.3),
    # NOAA NCEI, Miami International Airport, 1991-2020; from degrees Fahrenheit and inches
    "Miami": ("Am", [20.3, 21.5, 22.8, 24.8, 26.7, 28.2, 28.9, 29.0, 28.3, 26.7, 23.8, 21.8],
              [46.5, 54.6, 62.5, 85.3, 160.5, 267.0, 186.9, 243.3, 259.6, 194.3, 89.7, 62.0],
              1712.2),
    # Thai Meteorological Department, Bangkok, 1981-2010
    "Bangkok": ("Aw", [27.0, 28.3, 29.5, 30.5, 29.9, 29.5, 29.0, 28.8, 28.3, 28.1, 27.8, 26.5],
                [13.3, 20.0, 42.1, 91.4, 247.7, 157.1, 175.1, 219.3, 334.3, 292.1, 49.5, 6.3],
                1648.2),
    # WMO World Weather Information Service, Cairo, 1971-2000
    "Cairo": ("BWh", [14.0, 15.1, 17.6, 21.5, 24.9, 27.0, 28.4, 28.2, 26.6, 23.3, 19.5, 15.4],
              [5.0, 3.8, 3.8, 1.1, 0.5, 0.1, 0.0, 0.0, 0.0, 0.7, 3.8, 5.9], 24.7),
    # China Meteorological Administration, Beijing, 1991-2020: just on the dry side
    "Beijing": ("BSk", [-2.7, 0.6, 7.5, 15.1, 21.3, 25.3, 27.2, 26.1, 21.2, 13.8, 5.2, -0.9],
                [2.2, 5.8, 8.6, 21.7, 36.1, 72.4, 169.7, 113.4, 53.7, 28.7, 13.5, 2.2], 528.0),
    # Instituto Português do Mar e da Atmosfera, Lisbon Geofísico, 1981-2010
    "Lisbon": ("Csa", [11.6, 12.7, 14.9, 15.9, 18.0, 21.2, 23.1, 23.5, 22.1, 18.8, 15.0, 12.4],
               [99.9, 84.9, 53.2, 68.1, 53.6, 15.9, 4.2, 6.2, 32.9, 100.8, 127.6, 126.7], 774.0),
    # South African Weather Service, Cape Town Airport, 1961-1990: the southern summer
    "Cape Town": ("Csb", [20.4, 20.4, 19.2, 16.9, 14.4, 12.5, 11.9, 12.4, 13.7, 15.6, 17.9, 19.5],
                  [15.0, 17.0, 20.0, 41.0, 69.0, 93.0, 82.0, 77.0, 40.0, 30.0, 14.0, 17.0], 515.0),
    # Royal Meteorological Institute of Belgium, Uccle, 1991-2020
    "Uccle": ("Cfb", [3.7, 4.2, 7.1, 10.4, 13.9, 16.7, 18.7, 18.4, 15.2, 11.3, 7.2, 4.3],
              [75.5, 65.1, 59.3, 46.7, 59.7, 70.8, 76.9, 86.5, 65.3, 67.8, 76.2, 87.4], 837.1),
    # Environment and Climate Change Canada, Winnipeg Airport, 1981-2010
    "Winnipeg": ("Dfb", [-16.4, -13.2, -5.8, 4.4, 11.6, 17.0, 19.7, 18.8, 12.7, 5.0, -4.9, -13.2],
                 [19.9, 13.8, 24.5, 30.0, 56.7, 90.0, 79.5, 77.0, 45.8, 37.5, 25.0, 21.5], 521.1),
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_a_known_place_has_its_known_class(place):
    name, temperature, rain, annual = PLACES[place]
    assert sum(rain) == pytest.approx(annual, abs=0.3)
    found = koppen_geiger(np.array(temperature), np.array(rain))
    assert found.dtype == np.uint8 and KOPPEN_NAMES[int(found)] == name


def climate(low, high, summer=50.0, winter=50.0, **months):
    """Temperatures in a sawtooth from January's `low` to July's `high`, and rain by half-year.

    months : m7=3.0 gives July (the seventh month) 3 mm
    """
    place = np.abs(np.arange(12) - 6.0)
    temperature = high - (high - low) * place / 6
    rain = np.full(12, float(winter))
    rain[3:9] = summer
    for month, value in months.items():
        rain[int(month[1:]) - 1] = value
    return temperature, rain


# By hand, from table 2 of Beck et al. 2018: one climate for each class.
EXAMPLES = {
    "Af": climate(24, 28, 200, 200),
    "Am": climate(24, 28, 400, 100, m1=10),  # 100 - 2910/25 < 0
    "Aw": climate(24, 28, 150, 60, m1=10),  # 100 - 1210/25 = 51.6
    "BWh": climate(12, 32, 5, 5),
    "BWk": climate(-10, 25, 5, 5),
    "BSh": climate(15, 30, 35, 35),  # mean 22.5, 420 mm: between 295 and 590
    "BSk": climate(-5, 25, 25, 25),  # mean 10, 300 mm: between 170 and 340
    "Csa": climate(8, 26, 10, 100),
    "Csb": climate(8, 21, 10, 100),
    "Csc": climate(1, 12, 10, 100),
    "Cwa": climate(5, 28, 200, 15),
    "Cwb": climate(5, 20, 200, 15),
    "Cwc": climate(1, 12, 200, 15),
    "Cfa": climate(4, 27, 100, 100),
    "Cfb": climate(4, 18, 100, 100),
    "Cfc": climate(1, 12, 100, 100),
    "Dsa": climate(-6, 25, 10, 100),
    "Dsb": climate(-6, 20, 10, 100),
    "Dsc": climate(-10, 12, 10, 100),
    "Dsd": climate(-40, 14, 10, 100),
    "Dwa": climate(-8, 26, 150, 10),
    "Dwb": climate(-8, 20, 150, 10),
    "Dwc": climate(-20, 13, 150, 10),
    "Dwd": climate(-42, 14, 150, 10),
    "Dfa": climate(-6, 26, 80, 80),
    "Dfb": climate(-8, 20, 80, 80),
    "Dfc": climate(-20, 13, 60, 60),
    "Dfd": climate(-42, 14, 60, 60),
    "ET": climate(-20, 8, 40, 40),
    "EF": climate(-40, -5, 20, 20),
}


def test_each_of_thirty_classes_is_reached_all_at_once():
    """Vectorised over a map of 5 x 6 climates, in the order of the legend."""
    assert tuple(EXAMPLES) == KOPPEN_NAMES[1:]
    temperature, rain = (
        np.stack([pair[n] for pair in EXAMPLES.values()], axis=-1).reshape(12, 5, 6) for n in (0, 1)
    )
    found = koppen_geiger(temperature, rain)
    assert np.array_equal(found, np.arange(1, 31).reshape(5, 6))


def test_a_year_turned_by_six_months_is_the_other_hemisphere_and_the_same_class():
    for name, (temperature, rain) in EXAMPLES.items():
        found = koppen_geiger(np.roll(temperature, 6), np.roll(rain, 6))
        assert KOPPEN_NAMES[int(found)] == name


@pytest.mark.parametrize(
    ("pair", "name"),
    [
        (climate(18, 28, 200, 200), "Af"),  # 18 itself is tropical
        (climate(17.99, 28, 200, 200), "Cfa"),
        (climate(24, 28, 100, 100, m1=60), "Af"),  # 60 itself is no dry month
        (climate(24, 28, 100, 100, m1=59.9), "Am"),  # 100 - 1159.9/25 = 53.6
        (climate(24, 28, 100, 100, m1=53), "Aw"),  # 100 - 1153/25 = 53.88
        (climate(24, 28, 100, 100, m1=54), "Am"),  # 100 - 1154/25 = 53.84
        (climate(0.01, 18, 100, 100), "Cfb"),
        (climate(0, 18, 100, 100), "Dfb"),  # 0 itself is cold
        (climate(5, 22, 100, 100), "Cfa"),  # 22 itself is hot
        (climate(5, 21.99, 100, 100), "Cfb"),
        (climate(1, 10, 100, 100), "ET"),  # 10 itself is polar
        (climate(1, 10.01, 100, 100), "Cfc"),
        (climate(-30, 0, 100, 100), "EF"),  # 0 itself is frost
        (climate(-30, 0.01, 100, 100), "ET"),
        (climate(-38, 14, 60, 60), "Dfc"),  # -38 itself is not very cold
        (climate(-38.01, 14, 60, 60), "Dfd"),
        (climate(8, 26, 100, 100, m7=33.3), "Csa"),  # below 40, below a third of 100
        (climate(8, 26, 100, 100, m7=33.4), "Cfa"),
        (climate(8, 26, 150, 150, m7=40), "Cfa"),  # 40 itself is not dry, though below a third
        (climate(8, 26, 150, 150, m7=39.9), "Csa"),
        (climate(5, 26, 150, 100, m1=14.9), "Cwa"),  # below a tenth of 150
        (climate(5, 26, 150, 100, m1=15), "Cfa"),
        (climate(5, 26, 150, 100, m1=5, m7=30), "Cwa"),  # both dry: more rain in summer
        (climate(5, 26, 100, 150, m1=5, m7=30), "Csa"),  # both dry: more rain in winter
    ],
)  # fmt: skip
def test_the_edges_lie_where_the_table_has_them(pair, name):
    assert KOPPEN_NAMES[int(koppen_geiger(*pair))] == name


def test_the_limit_of_arid_climates_follows_the_season_of_the_rain():
    """Mean 10: 10 x 20 = 200 mm by winter rain, 340 by even rain, 480 by summer rain."""
    for share, threshold in ((0.0, 20), (0.5, 34), (1.0, 48)):
        for factor, letters in ((9.99, "BS"), (10.01, "C"), (4.99, "BW"), (5.01, "BS")):
            annual = factor * threshold
            pair = climate(1, 19, annual * share / 6, annual * (1 - share) / 6)
            assert KOPPEN_NAMES[int(koppen_geiger(*pair))].startswith(letters), (share, factor)
    hot = koppen_geiger(*climate(13, 23, 5, 5)), koppen_geiger(*climate(12.9, 23, 5, 5))
    assert [KOPPEN_NAMES[int(found)] for found in hot] == ["BWh", "BWk"]  # 18 itself is hot


def table_2(temperature, rain):
    """All classes of one climate, word for word by table 2: a list of names."""
    first, second = [3, 4, 5, 6, 7, 8], [9, 10, 11, 0, 1, 2]
    total = [sum(temperature[m] for m in half) for half in (first, second)]
    warm, cool = (first, second) if total[0] > total[1] else (second, first)
    rain_in = [sum(rain[m] for m in half) for half in (first, second)]
    ps, pw = rain_in if total[0] > total[1] else rain_in[::-1]
    mat, map_ = (total[0] + total[1]) / 12, rain_in[0] + rain_in[1]
    extra = 0 if pw > 0.7 * map_ else 28 if ps > 0.7 * map_ else 14
    limit = 2 * mat + extra
    hot, cold = max(temperature), min(temperature)
    months = sum(t > 10 for t in temperature)
    psdry, pswet = min(rain[m] for m in warm), max(rain[m] for m in warm)
    pwdry, pwwet = min(rain[m] for m in cool), max(rain[m] for m in cool)
    b = map_ < 10 * limit
    s, w = psdry < 40 and psdry < pwwet / 3, pwdry < pswet / 10
    s, w = (s and not (w and ps > pw)), (w and not (s and ps <= pw))
    heat = {
        "a": hot >= 22,
        "b": hot < 22 and months >= 4,
        "c": hot < 22 and months < 4,
    }
    classes = {
        "Af": not b and cold >= 18 and min(rain) >= 60,
        "Am": not b and cold >= 18 and min(rain) < 60 and min(rain) >= 100 - map_ / 25,
        "Aw": not b and cold >= 18 and min(rain) < 60 and min(rain) < 100 - map_ / 25,
        "ET": not b and hot <= 10 and hot > 0,
        "EF": not b and hot <= 0,
    }
    for letter, is_it in (("W", map_ < 5 * limit), ("S", b and map_ >= 5 * limit)):
        classes |= {
            f"B{letter}h": b and is_it and mat >= 18,
            f"B{letter}k": b and is_it and mat < 18,
        }
    for dry, is_dry in (("s", s), ("w", w), ("f", not s and not w)):
        for letter, is_heat in heat.items():
            classes[f"C{dry}{letter}"] = not b and hot > 10 and 0 < cold < 18 and is_dry and is_heat
            is_d = letter == "c" and cold < -38
            here = not b and hot > 10 and cold <= 0 and is_dry and is_heat
            classes[f"D{dry}{letter}"] = here and not is_d
            if letter == "c":
                classes[f"D{dry}d"] = here and is_d
    return [name for name, is_it in classes.items() if is_it]


@given(
    temperature=arrays(np.float64, 12, elements=st.integers(-60, 40)),
    rain=arrays(np.float64, 12, elements=st.integers(0, 400)),
    shift=st.integers(-30, 20),
)
def test_every_climate_has_exactly_one_class_and_that_of_the_table(temperature, rain, shift):
    temperature = temperature / 3 + shift
    found = koppen_geiger(temperature, rain)
    assert table_2(temperature, rain) == [KOPPEN_NAMES[int(found)]]
    halves = temperature[3:9].sum(), temperature[[9, 10, 11, 0, 1, 2]].sum()
    if abs(halves[0] - halves[1]) > 1e-9:
        assert koppen_geiger(np.roll(temperature, 6), np.roll(rain, 6)) == found


@pytest.mark.parametrize(
    ("temperature", "rain", "words"),
    [
        (np.zeros((11, 2)), np.zeros((11, 2)), r"is \(11, 2\), precipitation \(11, 2\); expected"),
        (np.zeros((12, 2)), np.zeros((12, 3)), r"\(12, 2\), precipitation \(12, 3\)"),
        (np.full(12, np.nan), np.zeros(12), "temperature: 12 of 12"),
        (np.zeros(12), np.full(12, np.inf), "precipitation: 12 of 12"),
    ],
)  # fmt: skip
def test_what_is_no_climate_is_refused(temperature, rain, words):
    with pytest.raises(InputError, match=words):
        koppen_geiger(temperature, rain)
