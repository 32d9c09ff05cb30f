"""landstep: this year's 1 km land use from coarse forcing and last year's map.

from landstep import Emulator

emulator = Emulator.open("experiment.toml")
state = emulator.start(2015)
for year in range(2016, 2031):
    state = emulator.step(year, state)
state.save("restart_2030.nc")
"""

import logging
from importlib.metadata import version

from landstep.emulator.emulator import Emulator
from landstep.emulator.errors import LandstepError
from landstep.emulator.state import State

__all__ = ["Emulator", "LandstepError", "State", "__version__"]
__version__ = version("landstep")

# A host decides what it shows: without this, Python itself prints warnings to standard error.
logging.getLogger(__name__).addHandler(logging.NullHandler())
