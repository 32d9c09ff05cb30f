"""What a GeoTIFF says of itself, whether landstep can take it or not."""

from __future__ import annotations

from pathlib import Path

import rasterio
from rasterio.errors import RasterioError

from landstep.data.raster import describe
from landstep.emulator.errors import InputError, LandstepError


def raster_facts(path: Path) -> list[tuple[str, str]]:
    """Describe a GeoTIFF: name and text of each fact, for reading.

    Raises InputError where the file cannot be read.
    """
    try:
        with rasterio.open(path) as raster:
            bounds = raster.bounds
            facts = [
                ("GeoTIFF", f"{raster.height} x {raster.width} cells, {_bands(raster)}"),
                ("crs", "none" if raster.crs is None else str(raster.crs)),
                ("cell", f"{abs(raster.transform[0]):.8g} x {abs(raster.transform[4]):.8g}"),
                (
                    "bounds",
                    f"west {bounds.left:.6g}, east {bounds.right:.6g}, south {bounds.bottom:.6g}, "
                    f"north {bounds.top:.6g}",
                ),
                ("scale, offset", f"{raster.scales[0]:g}, {raster.offsets[0]:g}"),
                ("units", raster.units[0] or "not said"),
                ("nodata", "none" if raster.nodata is None else f"{raster.nodata:g}"),
                ("mask", ", ".join(flag.name for flag in raster.mask_flag_enums[0])),
            ]
    except (RasterioError, OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as GeoTIFF: {error}") from error
    try:
        describe(path)
        facts.append(("landstep prepare", "takes it as a map in latitude and longitude"))
    except LandstepError as error:
        facts.append(("landstep prepare", f"does not take it: {error}"))
    return facts


def _bands(raster: rasterio.DatasetReader) -> str:
    return f"{raster.count} band{'s' * (raster.count > 1)} of {', '.join(sorted({*raster.dtypes}))}"
