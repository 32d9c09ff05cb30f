"""Prepare the globe from a made-up HILDA+ v2 year of 36000 x 18000 cells: time and memory.

python benchmarks/prepare_globe.py FOLDER

Writes 50 MB of sources and 1 GB of results to FOLDER, which must not exist, and prints for each
step wall and cpu seconds, and the most anonymous memory so far (RssAnon of /proc: Linux only).
"""

from __future__ import annotations

import re
import sys
import threading
import time
from pathlib import Path

import numpy as np

from landstep.data.prepare import prepare

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "data"))
from made_up_sources import centres, continents, write_field, write_hilda, write_luh2  # noqa: E402

SOURCES = """
name = "globe"
[land_use]
files = ["hilda.nc"]
scheme = "hilda8"
variant = "states"
[forcing]
files = ["luh2.nc"]
[statics]
elevation = "elevation.nc"
soil_texture = "soil_texture.nc"
climate_zone = "climate_zone.nc"
"""


class Watch:
    """Seconds, and the most memory, since it was made."""

    def __init__(self) -> None:
        self.most, self.what = 0, ""
        self.start = time.monotonic(), time.process_time()
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        while True:
            status = Path("/proc/self/status").read_text("ascii")
            found = re.search(r"RssAnon:\s+(\d+)", status)
            self.most = max(self.most, int(found.group(1)) if found else 0)
            time.sleep(0.02)

    def say(self, what: str) -> None:
        """Print a line where `what` is another than before."""
        if what != self.what:
            wall, cpu = time.monotonic() - self.start[0], time.process_time() - self.start[1]
            most = self.most / 1024
            print(f"{what}: {wall:.0f} s, {cpu:.0f} s of cpu, at most {most:.0f} MiB", flush=True)
        self.what = what


def main(folder: Path) -> None:
    """Make the sources, prepare, and print."""
    folder.mkdir()
    draw = np.random.default_rng(7)
    write_hilda(folder / "hilda.nc", centres(90, -90, 18000), centres(-180, 180, 36000), [2015])
    write_luh2(folder / "luh2.nc", [2015], lat=centres(90, -90, 720), lon=centres(-180, 180, 1440))
    for name, ny, values in (
        ("elevation", 1024, draw.uniform(0, 3000, (1024, 2048)).astype(np.float32)),
        ("soil_texture", 1800, draw.integers(1, 8, (1800, 3600)).astype(np.uint8)),
        ("climate_zone", 2160, draw.integers(1, 13, (2160, 4320)).astype(np.uint8)),
    ):
        places = centres(90, -90, ny), centres(-180, 180, 2 * ny)
        if name != "elevation":  # the coast as coarse as the map
            values = np.where(continents(*places), values, 0).astype(np.uint8)
        write_field(folder / f"{name}.nc", name, *places, values)
    (folder / "sources.toml").write_text(SOURCES, "utf-8")
    watch = Watch()
    prepare(
        folder / "sources.toml",
        folder / "out",
        (2015, 2015),
        progress=lambda done, total, what: watch.say(f"before {what}"),
    )
    watch.say("done")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
