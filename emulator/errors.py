"""What can go wrong, each with the status that crosses to C and Fortran.

A message says where, what was found, what was expected, and what to do.
"""

from __future__ import annotations


class LandstepError(Exception):
    """Anything landstep refuses or cannot do; `status` is the code that a host sees.

    shared : True where every rank of a run raises it
    """

    status = 1
    shared = False


class InputError(LandstepError):
    """A file, or the data in it, is not what it must be."""

    status = 2


class ModelError(LandstepError):
    """An ONNX model is missing, altered, unsafe, or made for something else."""

    status = 3


class ConfigError(LandstepError):
    """An experiment or training file says something that cannot be."""

    status = 4


class StepError(LandstepError):
    """A year that cannot be reached from here, or a call out of order."""

    status = 5


class StateError(LandstepError):
    """A restart file is missing, damaged, or belongs to another run."""

    status = 6


class CheckError(LandstepError):
    """A result breaks what must hold after every step."""

    status = 7


class CouplingError(LandstepError):
    """A host asked with a wrong handle, field name, array size or point list."""

    status = 8


class DependencyError(LandstepError):
    """A package is missing; the message says how to get it."""

    status = 9


def error_of_status(status: int) -> type[LandstepError]:
    """Give the class of error that has a status."""
    kinds: list[type[LandstepError]] = LandstepError.__subclasses__()
    return next((kind for kind in kinds if kind.status == status), LandstepError)
