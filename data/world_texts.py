"""The texts of a made-up world: its experiment file and a page for who opens the folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from landstep.emulator.classes import Scheme
from landstep.emulator.errors import InputError

_EXPERIMENT = """\
# One experiment: a model, a 1 km map to start from, and the forcing that drives it.
# Paths are relative to this file. Try:  landstep {next}

name = "made-up world"
{model}
start = 2015                     # the year of a start that names none

[land_use]                       # yearly 1 km maps: a run's start, and the truth to compare with
file = "hildaplus.nc"
{scheme}
variant = "forest"               # the file tells forest types apart (codes 40 to 45)
variable = "LULC_states"

[forcing]                        # coarse cells (30 x 30): how much of each land use, every year
files = ["states_history.nc", "states_scenario.nc"]
format = "luh2"
scenario = "made-up-ssp"         # must be the scenario of the climate zones, too

[statics]                        # 1 km: what the land is like; climate zones move slowly
elevation = "topography.nc"
soil_texture = "soil.nc"
climate_zone = "zones.nc"

[climate]                        # what zone codes mean, and the climate that they belong to: a host
legend = "made_up"               # that gives its own climate moves the zones from there
reference = "climate.nc"

[run]                            # how many threads changes no map
threads = 1
provider = "cpu"
"""

_BUILTIN = "hilda8"
"""The scheme of the network that comes with landstep."""

_RUN = "run experiment.toml --years 2015:2030"
_OF_BUILTIN = {
    "next": _RUN,
    "model": 'model = "builtin:world"          # the network that comes with landstep; or the path '
    "of an ONNX file",
    "scheme": 'scheme = "hilda8"                # the network\'s eight classes',
}
_OF_OTHER = {
    "next": "inspect experiment.toml",
    "model": 'model = "{name}.onnx"           # yours to train and export: none that comes with '
    "landstep\n"
    "                                 # has these classes (docs/made-up-world.md of landstep)",
    "scheme": 'scheme = "{name}"               # {n_classes} classes',
}

_README = """\
{title}
{underline}
Not the real Earth. Every value here is made up by a stated process (docs/made-up-world.md of
landstep), so that the whole way from forcing to land use can be tried, and a model be scored
against what can be known. Made with:

    {history}

experiment.toml      names the files below; what every landstep command reads
hildaplus.nc         land use at 1 km, 1985 to 2030, in HILDA+ codes with forest types; the maps
                     from 2016 on are the truth that a run from 2015 tries to meet
states_history.nc    land-use states of coarse cells, 1980 to 2015, as LUH2 v2h has them
states_scenario.nc   the same, 2015 to 2100, scenario made-up-ssp, as LUH2 v2f has them
topography.nc        elevation in m, missing at sea
soil.nc              soil texture, ECMWF classes 1 to 7, 0 at sea
zones.nc             climate zones 1 to 5, 0 at sea, four periods from 1961 to 2100
climate.nc           monthly air temperature and precipitation of coarse cells, 1961 to 1990, from
                     which the zones of that period follow (Köppen classes, legend made_up)
attainable.json      how well the process itself predicts this world from 2015

A coarse cell is 30 x 30 fine cells. Fractions are of the whole coarse cell, as in LUH2: the
twelve states sum to its share of land, inland water left out. secma and secmb are no areas.

How well can it be predicted? Figure of merit (changed cells got right, over all cells that
changed or were said to change) and accuracy on land, from the map of 2015:

{table}
"random place" has every quantity right and knows nothing of place. "process" is the process that
made this world, with other noise. "best" is the better of the process without noise and a vote of
nine such runs: about the best that can be expected of a model that knows every rule.

Classes: {classes}, of HILDA+.{types}

Next:  landstep {next}
"""

_TYPES = """
Forest types follow height and the climate zone, which moves when a period begins (2021): then a
cell changes its type where no land use changed. Persistence misses that, the others know it."""


def write_texts(out: Path, attrs: dict[str, str], scores: dict[str, Any], of: Scheme) -> Path:
    """Write attainable.json, README.txt and experiment.toml; return the path of the last.

    attrs : title and history; scores : what attainable() gave; of : scheme of the experiment
    Raises InputError where one cannot be written.
    """
    builtin = of.name == _BUILTIN
    words = {
        key: text.format(name=of.name, n_classes=of.n_classes)
        for key, text in (_OF_BUILTIN if builtin else _OF_OTHER).items()
    }
    readme = _README.format(
        title=attrs["title"],
        underline="=" * len(attrs["title"]),
        history=attrs["history"] + ("" if builtin else f" --scheme {of.name}"),
        table=_table(scores),
        classes=f"the {of.n_classes} of scheme {of.name}",
        types="" if builtin else _TYPES,
        next=words["next"],
    )
    texts = {
        "attainable.json": json.dumps(scores, indent=1) + "\n",
        "README.txt": readme,
        "experiment.toml": _EXPERIMENT.format_map(words),
    }
    for name, text in texts.items():
        try:
            (out / name).write_text(text, "utf-8")
        except OSError as error:
            raise InputError(f"{out / name}: cannot write: {error.strerror}") from error
    return out / "experiment.toml"


def _table(scores: dict[str, Any]) -> str:
    head = f"{'to':>6}{'changed':>10}{'persistence':>18}{'random place':>18}"
    lines = [head + f"{'process':>18}{'best':>18}"]
    for year, of_year in scores["targets"].items():
        line = f"{year:>6}{of_year['changed_share']:>10.2%}"
        for name in ("persistence", "random_place", "twin", "best_attainable"):
            merit, right = of_year[name]["figure_of_merit"], of_year[name]["accuracy"]
            if name == "twin":
                merit, right = merit["mean"], right["mean"]
            line += f"{merit:>9.3f} / {right:.4f}"
        lines.append(line)
    return "\n".join(lines) + "\n"
