"""Land cover from land use: what the classes leave open and the forcing, zones or masks tell.

Forest types are classes of scheme hilda13. Here come C3 and C4 crops, irrigation and permanent ice.
A layer that nothing given tells is None; a cell that nothing tells is NaN. Nothing is guessed: C3
and C4 of grass, which follow from monthly temperature and rain, are not here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from landstep.emulator.classes import MASKED, Scheme
from landstep.emulator.errors import ConfigError, InputError

CROPS = {"c3ann": "c3", "c3per": "c3", "c3nfx": "c3", "c4ann": "c4", "c4per": "c4"}
"""Photosynthetic pathway of each crop state of LUH2, by its definition.
Source: Hurtt et al. 2020, doi:10.5194/gmd-13-5425-2020, table 1."""

IRRIGATED = "irrig_"
"""LUH2's management file holds irrig_c3ann and so on: the irrigated share of that crop's area.
Source: Hurtt et al. 2020, doi:10.5194/gmd-13-5425-2020, management layers."""

ICE_ZONES = ("EF",)
"""Climate zones of permanent ice: Koeppen's EF, whose warmest month is no warmer than 0 degrees C.
Source: Peel et al. 2007, doi:10.5194/hess-11-1633-2007, table 1. Zones are told by name, because
the code of EF is 30 in one product and 29 in another. The polar zones of IPCC hold tundra, too, and
say nothing of ice."""

CROPLAND, HOLDS_ICE = "cropland", "other_land"
"""Classes of HILDA+ that hold all crops, and all permanent ice (sparse vegetation, bare land, ice).
Source: Winkler et al. 2021, doi:10.1594/PANGAEA.921846."""


@dataclass(frozen=True, eq=False)
class LandCover:
    """Shares of each fine cell's area: (y, x) float32, 0..1; NaN where it cannot be told.

    c3_crops, c4_crops : add to 1 on cropland, where the forcing tells them; None where the forcing
        does not have the five crop types of LUH2
    irrigated_crops : None without a management file
    permanent_ice : None without an ice mask and without a zone of permanent ice
    """

    c3_crops: np.ndarray | None
    c4_crops: np.ndarray | None
    irrigated_crops: np.ndarray | None
    permanent_ice: np.ndarray | None


def land_cover(
    land_use: np.ndarray,
    of: Scheme,
    forcing: Mapping[str, np.ndarray],
    row: np.ndarray,
    col: np.ndarray,
    *,
    ice_mask: np.ndarray | None = None,
    zone: np.ndarray | None = None,
    zone_names: Mapping[int, str] | None = None,
) -> LandCover:
    """Give the layers of one year. Each cell stands for itself, so a map may be cut at will.

    land_use : (y, x) uint8 class numbers, MASKED where unknown
    of : hilda8 or hilda13
    forcing : state or management layer -> (cy, cx) fractions of the same year, NaN where missing;
        crop states are shares of the coarse cell, irrig_* shares of the crop's area
    row, col : (y,), (x,) int64, the coarse row of each fine row and column of each fine column
    ice_mask : (y, x) bool, True on permanent ice; goes before the zone
    zone, zone_names : (y, x) uint8 climate zone of the year, and code -> name of each
    Raises ConfigError for a scheme without those classes, or a zone without names; InputError for a
    map, mask or zone of another shape, a code that has no name, or irrigation of some crops only.
    """
    missing = [name for name in (CROPLAND, HOLDS_ICE) if name not in of.names]
    if missing:
        raise ConfigError(
            f"scheme {of.name} has no class {missing[0]!r}, so its land cover cannot be told; "
            "expected hilda8 or hilda13"
        )
    for what, field in (("land_use", land_use), ("ice_mask", ice_mask), ("zone", zone)):
        if field is not None and field.shape != (row.size, col.size):
            raise InputError(f"{what} is {field.shape}, expected {(row.size, col.size)}")
    known = land_use != MASKED
    crops = land_use == of.names.index(CROPLAND)

    def spread(share: np.ndarray | None) -> np.ndarray | None:
        """Lay a share of each coarse cell's crops on its cropland."""
        if share is None:
            return None
        fine = np.where(crops, share[row][:, col], 0).astype(np.float32)
        return np.where(known, fine, np.float32(np.nan))

    c3 = pathway_share(forcing, "c3")
    ice = _ice(ice_mask, zone, zone_names)
    bare = land_use == of.names.index(HOLDS_ICE)
    return LandCover(
        c3_crops=spread(c3),
        c4_crops=spread(None if c3 is None else 1 - c3),
        irrigated_crops=spread(irrigated_share(forcing)),
        permanent_ice=None
        if ice is None
        else np.where(known, (ice & bare).astype(np.float32), np.float32(np.nan)),
    )


def pathway_share(forcing: Mapping[str, np.ndarray], pathway: str) -> np.ndarray | None:
    """Share of a pathway, "c3" or "c4", in each coarse cell's crops: (cy, cx) float64.

    returns : NaN where the forcing is missing or has no crops; None where it lacks a crop type
    """
    if any(crop not in forcing for crop in CROPS):
        return None
    chosen = [crop for crop, of in CROPS.items() if of == pathway]
    return _ratio(_total(forcing, chosen), _total(forcing, list(CROPS)))


def irrigated_share(forcing: Mapping[str, np.ndarray]) -> np.ndarray | None:
    """Irrigated share of each coarse cell's crops: (cy, cx) float64.

    returns : NaN where the forcing is missing or has no crops; None without any irrig_* layer
    Raises InputError where the layer or the state of a crop is missing beside others.
    """
    if not any(IRRIGATED + crop in forcing for crop in CROPS):
        return None
    for name in [name for crop in CROPS for name in (crop, IRRIGATED + crop)]:
        if name not in forcing:
            raise InputError(
                f"irrigation: the forcing has {sorted(forcing)}, but not {name!r}; expected the "
                "five crop types and irrig_* of each: take LUH2's states and management files"
            )
    wet = sum(
        (forcing[crop].astype(np.float64) * forcing[IRRIGATED + crop] for crop in CROPS),
        start=np.float64(0),
    )
    return _ratio(np.asarray(wet), _total(forcing, list(CROPS)))


def _total(forcing: Mapping[str, np.ndarray], names: Sequence[str]) -> np.ndarray:
    return np.sum([forcing[name].astype(np.float64) for name in names], axis=0)


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    ratio = np.full(whole.shape, np.nan)
    np.divide(part, whole, out=ratio, where=whole > 0)
    return ratio


def _ice(
    mask: np.ndarray | None, zone: np.ndarray | None, names: Mapping[int, str] | None
) -> np.ndarray | None:
    """Where permanent ice is said to be: (y, x) bool; None where nothing says."""
    if mask is not None:
        return mask
    if zone is None:
        return None
    if names is None:
        raise ConfigError("zone without zone_names: say what each of its codes means")
    codes = [int(code) for code in np.unique(zone)]
    unnamed = [code for code in codes if code not in names]
    if unnamed:
        raise InputError(f"zone code {unnamed[0]} has no name; there are {dict(names)}")
    frozen = [code for code, name in names.items() if name in ICE_ZONES]
    return np.isin(zone, frozen) if frozen else None
