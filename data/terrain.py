"""The ground of the made-up world: coast, mountains, valleys, lakes, soil and climate zones.

Everything that does not depend on land use. Fields are spectral noise, so they are periodic in
longitude (a globe has no seam). Numbers that later decide something are rounded (elevation to
0.1 m, indices to 1e-4), so that a last-bit difference between machines does not move a cell.
The equations stand in docs/made-up-world.md.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from scipy import fft, ndimage

from landstep.emulator.errors import InputError

BLOCK = 30  # fine cells along one side of a coarse cell
CELLS_PER_DEGREE = 120  # of a region; a globe has its own
NORTH_DEG, WEST_DEG = 50.0, -30.0  # north-west corner of a region: open Atlantic on the real Earth
MAX_CELLS = 50_000_000
PERIODS = ((1961, 1990), (1991, 2020), (2021, 2060), (2061, 2100))  # of the climate zones
WARMING = (0.0, 0.012, 0.035, 0.07)  # added to the warmth index, by period
DRYING = (0.0, 0.02, 0.06, 0.12)  # taken from the moisture index, by period
POLAR, BOREAL, TEMPERATE, DRY, WARM = 1, 2, 3, 4, 5  # zone numbers; 0 is sea


@dataclass(frozen=True)
class Terrain:
    """The fixed part of a made-up world. Maps are (lat, lon), north first.

    lat_deg, lon_deg : (ny,), (nx,) float64     cell centres
    globe : bool                                the map closes in longitude
    ocean, water : (ny, nx) bool                sea; inland water
    elevation : (ny, nx) float32                m, 0 at sea
    slope : (ny, nx) float32                    m per cell, largest central difference
    soil : (ny, nx) uint8                       ECMWF texture class 1..7, 0 at sea
    zones : (4, ny, nx) uint8                   climate zone 1..5 by period, 0 at sea
    warmth, moisture : (cy, cx) float64         indices of the first period, means over the land of
                                                each coarse cell (over all of it where it is sea)
    """

    lat_deg: np.ndarray
    lon_deg: np.ndarray
    globe: bool
    ocean: np.ndarray
    water: np.ndarray
    elevation: np.ndarray
    slope: np.ndarray
    soil: np.ndarray
    zones: np.ndarray
    warmth: np.ndarray
    moisture: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """Fine cells (ny, nx)."""
        return (self.lat_deg.size, self.lon_deg.size)

    @property
    def coarse_shape(self) -> tuple[int, int]:
        """Coarse cells (ny / 30, nx / 30)."""
        return (self.lat_deg.size // BLOCK, self.lon_deg.size // BLOCK)


def generator(seed: int, purpose: str, year: int = 0) -> np.random.Generator:
    """Return the random stream of one purpose and year: any year's noise can be drawn alone."""
    key = [seed, zlib.crc32(purpose.encode()), year]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(key)))


def noise(
    seed: int, purpose: str, shape: tuple[int, int], length: float, steepness: float
) -> np.ndarray:
    """Draw periodic isotropic noise, mean 0, standard deviation 1.

    length : cells; above it the spectrum is flat
    steepness : amplitude falls as wavenumber ** -steepness below it (1.5 rough, 3 smooth)
    returns : (ny, nx) float64
    """
    spectrum = fft.rfft2(generator(seed, purpose).random(shape) - 0.5)
    k_squared = fft.fftfreq(shape[0])[:, None] ** 2 + fft.rfftfreq(shape[1])[None, :] ** 2
    spectrum *= (1.0 + k_squared * length**2) ** (-steepness / 2)
    spectrum[0, 0] = 0.0
    field = fft.irfft2(spectrum, s=shape)
    return field / field.std()


def ramp(x: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return 0 below `low`, 1 above `high`, straight between."""
    return np.clip((x - low) / (high - low), 0.0, 1.0)


def blocks(a: np.ndarray) -> np.ndarray:
    """See a fine map (ny, nx) as (coarse y, coarse x, 30, 30): a view where it can be."""
    ny, nx = a.shape
    return a.reshape(ny // BLOCK, BLOCK, nx // BLOCK, BLOCK).swapaxes(1, 2)


def block_mean(a: np.ndarray) -> np.ndarray:
    """Mean of a fine map over each coarse cell, (coarse y, coarse x) float64."""
    return blocks(a).mean(axis=(2, 3), dtype=np.float64)


def land_mean(a: np.ndarray, land: np.ndarray) -> np.ndarray:
    """Mean over the land of each coarse cell, over all its cells where it has none.

    a : (ny, nx) float64; land : (ny, nx) bool
    returns : (cy, cx) float64
    """
    share = block_mean(land)
    return np.where(
        share > 0,
        block_mean(np.where(land, a, 0.0)) / np.where(share > 0, share, 1.0),
        block_mean(a),
    )


def period_index(year: int) -> int:
    """Which of PERIODS holds a year; years before the first take the first."""
    return max(n for n, (first, _) in enumerate(PERIODS) if n == 0 or year >= first)


def check_shape(shape: tuple[int, int], globe: bool) -> None:
    """Refuse a size that a made-up world cannot have (InputError says which and why)."""
    ny, nx = shape
    if ny < 2 * BLOCK or nx < 2 * BLOCK:
        raise InputError(f"size {ny}x{nx} is too small: a made-up world has at least 60x60 cells")
    if ny % BLOCK or nx % BLOCK:
        near = "x".join(str(max(2, round(n / BLOCK)) * BLOCK) for n in shape)
        raise InputError(
            f"size {ny}x{nx}: each side must be a multiple of {BLOCK}, the fine cells along one "
            f"coarse cell; try {near}"
        )
    if ny * nx > MAX_CELLS:
        raise InputError(
            f"size {ny}x{nx} has {ny * nx / 1e6:.0f} million cells, a made-up world at most "
            f"{MAX_CELLS // 1_000_000} million (it is made in memory)"
        )
    if globe and nx != 2 * ny:
        raise InputError(f"size {ny}x{nx}: a globe is twice as wide as high; try {ny}x{2 * ny}")
    south = NORTH_DEG - ny / CELLS_PER_DEGREE
    east = WEST_DEG + nx / CELLS_PER_DEGREE
    if not globe and (south < -90 or east > 180):
        raise InputError(
            f"size {ny}x{nx}: a region of 1/120 degree cells from {NORTH_DEG:g} N, "
            f"{-WEST_DEG:g} W would reach latitude {south:g} and longitude {east:g}"
        )


def make_terrain(seed: int, shape: tuple[int, int], *, globe: bool = False) -> Terrain:
    """Make the ground of a made-up world.

    seed : >= 0
    shape : (ny, nx) fine cells, multiples of 30; a globe is (n, 2 n)
    Raises InputError for a seed or a size that cannot be.
    """
    if seed < 0:
        raise InputError(f"seed {seed} is negative; expected 0, 1, 2, ...")
    check_shape(shape, globe)
    lat, lon = axes(shape, globe)
    span = float(max(shape))
    inland, valley = _coast_and_valleys(seed, shape, globe, span)
    ocean, lake = _split_sea(inland <= 0.0, globe)
    elevation = _elevation(seed, shape, np.maximum(inland, 0.0), valley, span)
    elevation[lake] = 1.0
    elevation[ocean] = 0.0
    slope = _slope(elevation, globe)
    basin = noise(seed, "lakes", shape, 140.0, 2.2)
    water = lake | (~ocean & (valley < 0.018 + 0.05 * ramp(basin, 0.9, 2.2)) & (basin > 0.55))
    warmth, moisture = _climate(seed, shape, lat, elevation, ~ocean, globe, span)
    shifts = zip(WARMING, DRYING, strict=True)
    zones = np.stack([_zones(warmth + warmer, moisture - drier) for warmer, drier in shifts])
    zones[:, ocean] = 0
    soil = _soil(seed, shape, elevation, slope, valley, zones[0], moisture)
    soil[ocean] = 0
    coarse = (np.round(land_mean(index, ~ocean), 4) for index in (warmth, moisture))
    return Terrain(lat, lon, globe, ocean, water, elevation, slope, soil, zones, *coarse)


def axes(shape: tuple[int, int], globe: bool, block: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Centres of cells, or of blocks of block x block cells, in degrees, north first.

    From whole numbers of half cells: centres of coarse cells are exact, those of fine cells to
    the last bit.
    """
    rows = 2 * np.arange(shape[0] // block) + 1
    cols = 2 * np.arange(shape[1] // block) + 1
    if globe:
        return 90.0 - rows * (90.0 * block / shape[0]), -180.0 + cols * (90.0 * block / shape[0])
    halves = 2 * CELLS_PER_DEGREE / block
    return NORTH_DEG - rows / halves, WEST_DEG + cols / halves


def _coast_and_valleys(
    seed: int, shape: tuple[int, int], globe: bool, span: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return height above the coast (sd 1, negative at sea) and distance from a valley floor."""
    length = 0.45 * span if globe else min(700.0, 0.7 * span)
    continent = noise(seed, "continent", shape, length, 2.0)
    shore = np.quantile(np.round(continent, 6), 0.62 if globe else 0.30)
    valley = np.abs(noise(seed, "valleys", shape, min(150.0, span / 4), 2.1))
    return np.round(continent - shore, 6), np.round(valley, 5)


def _split_sea(sea: np.ndarray, globe: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return ocean, and lakes: sea inside the map's edges, smaller than 800 cells."""
    label, _ = ndimage.label(sea)
    edges = [label[0], label[-1], label[:, 0], label[:, -1]]
    small = np.bincount(label.ravel()) < 800
    small[np.concatenate(edges)] = False
    small[0] = False
    lake = small[label]
    return sea & ~lake, lake


def _elevation(
    seed: int, shape: tuple[int, int], inland: np.ndarray, valley: np.ndarray, span: float
) -> np.ndarray:
    """Return plains that rise inland, ranges of ridges, hills, and valleys cut into them (m)."""
    belt = ramp(noise(seed, "ranges", shape, min(420.0, span / 2), 2.2), 0.1, 1.3)
    ridge = 1.0 - np.minimum(np.abs(noise(seed, "ridges", shape, 110.0, 1.9)), 1.0)
    hills = noise(seed, "hills", shape, 45.0, 1.7)
    shore = np.minimum(inland * 3.0, 1.0)
    high = belt * shore * (500.0 + 2300.0 * ridge**2)
    rolling = (12.0 + 110.0 * ramp(inland, 0.1, 1.6) + 160.0 * belt) * np.maximum(hills + 0.6, 0.0)
    cut = 0.15 + 0.85 * ramp(valley, 0.0, 0.30)
    elevation = 2.0 + 170.0 * inland + (high + rolling * shore) * cut
    return np.round(elevation, 1).astype(np.float32)


def _slope(elevation: np.ndarray, globe: bool) -> np.ndarray:
    """Larger of the central differences along the two axes, m per cell; edges repeat."""
    tall = np.pad(elevation, ((1, 1), (0, 0)), mode="edge")
    wide = np.pad(elevation, ((0, 0), (1, 1)), mode="wrap" if globe else "edge")
    down = np.abs(tall[2:] - tall[:-2])
    across = np.abs(wide[:, 2:] - wide[:, :-2])
    return np.maximum(down, across) * np.float32(0.5)


def _climate(
    seed: int,
    shape: tuple[int, int],
    lat_deg: np.ndarray,
    elevation: np.ndarray,
    land: np.ndarray,
    globe: bool,
    span: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Return warmth (0 polar .. 1 equator, falls with height) and moisture (sd about 1)."""
    length = min(500.0, span / 2)
    if globe:
        warmth = np.broadcast_to(1.0 - np.abs(lat_deg)[:, None] / 80.0, shape)
        arid = np.maximum(1.0 - ((np.abs(lat_deg) - 25.0) / 14.0) ** 2, 0.0)[:, None]
    else:
        warmth = np.broadcast_to(np.linspace(0.44, 0.80, shape[0])[:, None], shape)
        arid = np.zeros((shape[0], 1))
    warmth = warmth + 0.05 * noise(seed, "warmth", shape, length, 1.9) - 0.00024 * elevation
    mode = ("nearest", "wrap" if globe else "nearest")
    far = ndimage.uniform_filter(land.astype(np.float64), size=int(min(121, span / 4)), mode=mode)
    moisture = 0.9 * noise(seed, "moisture", shape, length, 2.0) - 0.7 * (far - 0.5) - arid
    return np.round(warmth, 4), np.round(moisture, 4)


def _zones(warmth: np.ndarray, moisture: np.ndarray) -> np.ndarray:
    """Zone 1 polar or alpine, 2 boreal, 3 temperate moist, 4 dry, 5 warm moist (uint8)."""
    zone = np.full(warmth.shape, TEMPERATE, np.uint8)
    zone[warmth > 0.70] = WARM
    zone[moisture < -0.75] = DRY
    zone[warmth < 0.40] = BOREAL
    zone[warmth < 0.13] = POLAR
    return zone


def _soil(
    seed: int,
    shape: tuple[int, int],
    elevation: np.ndarray,
    slope: np.ndarray,
    valley: np.ndarray,
    zone: np.ndarray,
    moisture: np.ndarray,
) -> np.ndarray:
    """Texture 1 coarse .. 5 very fine by noise, height and valleys; 6 and 7 organic where wet."""
    fine = noise(seed, "soil", shape, 90.0, 2.1) + 0.9 * (1.0 - ramp(valley, 0.0, 0.5))
    fine = np.round(fine - ramp(elevation, 300.0, 1600.0) * 1.2, 4)
    soil = (1 + np.digitize(fine, [-0.7, 0.4, 1.1, 1.9])).astype(np.uint8)
    wet = (moisture > 0.3) & (slope < 12.0) & (valley < 0.12)
    soil[wet & (zone <= BOREAL)] = 6
    soil[wet & (zone == WARM)] = 7
    return soil
