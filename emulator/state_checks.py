"""Whether a state belongs to a run, and may step to a year."""

from __future__ import annotations

from dataclasses import dataclass

from landstep.emulator.errors import StateError, StepError
from landstep.emulator.model_checks import DIRECTIONS
from landstep.emulator.state import State


@dataclass(frozen=True)
class Belonging:
    """What a state must have in common with a run.

    model : sha256 of the ONNX file; grid : fingerprint of the grid; shape : of the maps; scheme :
        name of the class scheme
    """

    model: str
    grid: str
    shape: tuple[int, int]
    scheme: str

    def check(self, state: State, where: str, year: int | None = None) -> None:
        """Refuse a state of another model, grid, scheme or year; StateError, `where` in front."""
        if state.model != self.model:
            raise StateError(
                f"{where}: made with model sha256 {state.model[:12]}, this run has "
                f"{self.model[:12]}; start again, or take the model it was made with"
            )
        if state.grid != self.grid or state.land_use.shape != self.shape:
            raise StateError(
                f"{where}: lies on another grid ({state.land_use.shape}), this run is on "
                f"{self.shape}; take the restart of this region"
            )
        if state.scheme != self.scheme:
            raise StateError(f"{where}: scheme {state.scheme}, this run uses {self.scheme}")
        if year is not None and state.year != year:
            raise StateError(f"{where}: restart is of {state.year}, asked for {year}")


def check_next(year: int, state: State) -> None:
    """Refuse a year that is not the next one the way the state goes; StepError."""
    following = state.year + state.direction
    if year == following:
        return
    way = "forward" if state.direction > 0 else "backward"
    turn = "; turning round needs a new start" if year == state.year - state.direction else ""
    raise StepError(
        f"step to {year} from the map of {state.year}: expected {following}; one step is one year "
        f"{way}{turn}"
    )


def check_way(state: State, direction: str | None, where: str) -> None:
    """Refuse a restart that goes the other way in time than was asked for; StateError."""
    if direction is not None and DIRECTIONS.get(direction) != state.direction:
        way = "forward" if state.direction > 0 else "backward"
        raise StateError(
            f"{where}: restart steps {way}, asked for {direction}; turning round needs a new start"
        )
