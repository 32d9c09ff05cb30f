"""Köppen-Geiger climate classes from twelve monthly means of temperature and precipitation.

Source of all thresholds: Beck et al. 2018, doi:10.1038/sdata.2018.214, table 2 (after Peel et al.
2007, doi:10.5194/hess-11-1633-2007, table 1).
"""

from __future__ import annotations

import numpy as np

from landstep.emulator.errors import InputError

KOPPEN_NAMES = (
    "", "Af", "Am", "Aw", "BWh", "BWk", "BSh", "BSk", "Csa", "Csb", "Csc", "Cwa", "Cwb", "Cwc",
    "Cfa", "Cfb", "Cfc", "Dsa", "Dsb", "Dsc", "Dsd", "Dwa", "Dwb", "Dwc", "Dwd", "Dfa", "Dfb",
    "Dfc", "Dfd", "ET", "EF",
)  # fmt: skip
"""Name of each class by its number, 1 to 30. Source: the legend of the maps of Beck et al. 2018
(figshare, doi:10.6084/m9.figshare.6396959, legend.txt). Other files number classes otherwise."""

AF, BWH, BWK, BSH, BSK, CSA, DSA, ET, EF = 1, 4, 5, 6, 7, 8, 17, 29, 30
"""Numbers of classes; the three classes from CSA on are Cs, the next three Cw, then Cf; from DSA on
there are four each."""

APRIL_TO_SEPTEMBER = [3, 4, 5, 6, 7, 8]
OCTOBER_TO_MARCH = [9, 10, 11, 0, 1, 2]


def koppen_geiger(temperature_degc: np.ndarray, precipitation_mm: np.ndarray) -> np.ndarray:
    """Class of each climate.

    temperature_degc : (12, ...) mean air temperature of each month, January first, degrees Celsius
    precipitation_mm : (12, ...) precipitation of each month, mm, not negative
    returns : (...) uint8, 1 to 30, numbered as KOPPEN_NAMES
    Raises InputError where the two are not of one shape with twelve months, or hold what is no
    number.

    Summer is the warmer of April to September and October to March (the latter where they are
    alike). A climate with a dry summer and a dry winter is w where more than half of the rain falls
    in summer, else s. Source: table 2 of Beck et al. 2018 and, for the last rule, which the table
    leaves open, Peel et al. 2007, section 2, and the authors' program.
    """
    temperature = np.asarray(temperature_degc, np.float64)
    rain = np.asarray(precipitation_mm, np.float64)
    if temperature.shape != rain.shape or temperature.shape[:1] != (12,):
        raise InputError(
            f"monthly temperature is {temperature.shape}, precipitation {rain.shape}; expected 12 "
            "months first, and the same of both"
        )
    for what, values in (("temperature", temperature), ("precipitation", rain)):
        if not np.isfinite(values).all():
            count = int((~np.isfinite(values)).sum())
            raise InputError(f"monthly {what}: {count} of {values.size} values are no numbers")
    warm = _half_sum(temperature, APRIL_TO_SEPTEMBER), _half_sum(temperature, OCTOBER_TO_MARCH)
    fallen = _half_sum(rain, APRIL_TO_SEPTEMBER), _half_sum(rain, OCTOBER_TO_MARCH)
    is_first = warm[0] > warm[1]  # summer is April to September
    summer = np.where(is_first, rain[APRIL_TO_SEPTEMBER], rain[OCTOBER_TO_MARCH])
    winter = np.where(is_first, rain[OCTOBER_TO_MARCH], rain[APRIL_TO_SEPTEMBER])
    in_summer, in_winter = (np.where(is_first, *pair) for pair in (fallen, fallen[::-1]))
    annual_mean, annual_rain = (warm[0] + warm[1]) / 12, fallen[0] + fallen[1]
    hottest, coldest = temperature.max(axis=0), temperature.min(axis=0)

    threshold = 2 * annual_mean + np.select(
        [in_winter > 0.7 * annual_rain, in_summer > 0.7 * annual_rain], [0.0, 28.0], 14.0
    )
    hot = annual_mean >= 18
    arid = np.where(annual_rain < 5 * threshold, np.where(hot, BWH, BWK), np.where(hot, BSH, BSK))
    driest = rain.min(axis=0)
    tropical = AF + np.select([driest >= 60, driest >= 100 - annual_rain / 25], [0, 1], 2)

    season = _season(summer, winter, in_summer > in_winter)
    is_mild = (temperature > 10).sum(axis=0) >= 4
    heat = np.select([hottest >= 22, is_mild], [0, 1], 2)
    temperate = CSA + 3 * season + heat
    cold = DSA + 4 * season + np.where((heat == 2) & (coldest < -38), 3, heat)
    polar = np.where(hottest > 0, ET, EF)
    found = np.select(
        [annual_rain < 10 * threshold, coldest >= 18, hottest <= 10, coldest > 0],
        [arid, tropical, polar, temperate],
        cold,
    )
    return found.astype(np.uint8)


def _half_sum(values: np.ndarray, months: list[int]) -> np.ndarray:
    """Sum over six months, always in the same order, so that both hemispheres are treated alike."""
    total = values[months[0]]
    for month in months[1:]:
        total = total + values[month]
    return total


def _season(summer: np.ndarray, winter: np.ndarray, wetter_summer: np.ndarray) -> np.ndarray:
    """0 where the summer is dry (s), 1 where the winter is (w), 2 where neither is (f).

    summer, winter : (6, ...) precipitation of the months of each half
    """
    driest_in_summer, wettest_in_winter = summer.min(axis=0), winter.max(axis=0)
    dry_summer = (driest_in_summer < 40) & (driest_in_summer < wettest_in_winter / 3)
    dry_winter = winter.min(axis=0) < summer.max(axis=0) / 10
    return np.select(
        [dry_summer & dry_winter, dry_summer, dry_winter], [np.where(wetter_summer, 1, 0), 0, 1], 2
    )
