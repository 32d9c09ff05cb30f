"""Metres by any spelling are metres, and nothing else is (fault 100)."""

from __future__ import annotations

import re

import pytest

from landstep.emulator.length_units import is_metres, other_unit


@pytest.mark.parametrize(
    "units",
    ["", "m", "M", " m ", "meter", "Metres", "meters", "metre", "m a.s.l.", "m asl", "masl",
     "m (a.s.l.)", "m above sea level", "meters above mean sea level", "m_above_sea_level", "gpm",
     "geopotential metres", "m**1", "m1"],
)  # fmt: skip
def test_metres_are_known_by_any_spelling(units):
    assert is_metres(units)


@pytest.mark.parametrize(
    ("units", "name", "factor"),
    [
        ("m2 s-2", "geopotential", 0.101971621),
        ("m**2 s**-2", "geopotential", 0.101971621),
        ("m^2/s^2", "geopotential", 0.101971621),
        ("m2/s2", "geopotential", 0.101971621),
        ("J kg-1", "geopotential", 0.101971621),
        ("dam", "decametres", 10),
        ("gpdm", "decametres", 10),
        ("dm", "decimetres", 0.1),
        ("cm", "centimetres", 0.01),
        ("mm", "millimetres", 0.001),
        ("hm", "hectometres", 100),
        ("km", "kilometres", 1000),
        ("Kilometers", "kilometres", 1000),
        ("ft", "feet", 0.3048),
        ("feet", "feet", 0.3048),
        ("US survey foot", "feet", 0.3048),
        ("hft", "hundreds of feet", 30.48),
        ("inches", "inches", 0.0254),
        ("miles", "miles", 1609.344),
    ],
)
def test_another_unit_is_refused_with_its_name_and_its_metres(units, name, factor):
    """Factors: BIPM, The International System of Units (2019), and 1/9.80665."""
    assert not is_metres(units)
    said = other_unit(units)
    assert name in said
    assert float(re.search(r"multiply by ([\d.e+-]+)", said)[1]) == pytest.approx(factor, rel=1e-7)


@pytest.mark.parametrize("units", ["1", "degrees", "K", "%", "Pa", "hPa", "metric", "m s-1", "mb"])
def test_what_is_no_length_is_refused_too(units):
    assert not is_metres(units) and "metres" in other_unit(units)
