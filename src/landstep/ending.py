"""How the command line ends: each failure is one line on stderr and an exit status."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from typing import Any

import typer
import typer.core

from landstep.emulator.errors import ConfigError, DependencyError, InputError, LandstepError
from landstep.extras import how_to_get

INTERRUPTED = 130
"""Exit status after Ctrl-C. Source: bash manual, 128 + the signal's number."""

CUT_OFF = 141
"""Exit status where the reader of a pipe has gone (`| head`), as of other programs: 128 + 13."""

SHOW_TRACEBACK = "LANDSTEP_TRACEBACK"
"""Environment variable: set to 1, it shows where an unexpected error arose."""


class Group(typer.core.TyperGroup):
    """The commands; an interruption leaves them with the status that a shell expects."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; end with a status of its own where the user or a pipe ended it."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            typer.echo("landstep: interrupted", err=True)
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            let_go_of_output()
            raise typer.Exit(CUT_OFF) from None
        except OSError as error:
            # click would end it without a word
            raise InputError(_system(error)) from error


def let_go_of_output() -> None:
    """Point stdout nowhere, so that Python does not fail once more when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.__stdout__.fileno() if sys.__stdout__ else 1)
    os.close(nowhere)


def flush_output() -> None:
    """Write what is left of stdout; a reader that has gone is no error."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        let_go_of_output()
        sys.exit(CUT_OFF)
    except OSError as error:
        let_go_of_output()
        end_with(InputError(f"standard output: cannot write: {error.strerror}"))


def end_with(error: BaseException) -> None:
    """Say on one line what went wrong, and end with the status of its kind."""
    known = as_landstep(error)
    try:
        typer.echo(f"landstep: {' '.join(str(known).splitlines())}", err=True)
    except OSError:  # nobody listens
        pass
    if os.environ.get(SHOW_TRACEBACK) == "1":
        traceback.print_exception(error)
    sys.exit(known.status)


def as_landstep(error: BaseException) -> LandstepError:
    """Turn any error into one of landstep's, in words."""
    if isinstance(error, LandstepError):
        return error
    if isinstance(error, ModuleNotFoundError) and not (error.name or "").startswith("landstep"):
        name = error.name or str(error)
        return DependencyError(f"the package {name!r} is not installed: {how_to_get(name)}")
    if isinstance(error, ImportError):
        return DependencyError(
            f"a package cannot be loaded: {error}; `landstep doctor` says what works here"
        )
    if isinstance(error, OSError):
        return InputError(_system(error))
    if isinstance(error, MemoryError):
        return LandstepError(
            "out of memory; `landstep check` estimates what a run takes, and [run] core makes its "
            "windows smaller"
        )
    if isinstance(error, UnicodeError):
        return ConfigError(f"a text or path is not in UTF-8: {error}")
    where = traceback.extract_tb(error.__traceback__)[-1] if error.__traceback__ else None
    place = f" in {os.path.basename(where.filename)}, line {where.lineno}" if where else ""
    return LandstepError(
        f"unexpected {type(error).__name__}{place}: {error}; set {SHOW_TRACEBACK}=1 to see where, "
        "and report it with the command"
    )


def _system(error: OSError) -> str:
    """Name the file of an error of the operating system, and what it may be."""
    file = f"{error.filename}: " if error.filename is not None else ""
    hint = {
        errno.ENOSPC: "; free space there, or name another folder",
        errno.EDQUOT: "; free space there, or name another folder",
        errno.EACCES: "; name a file or folder that you may use",
        errno.EROFS: "; name a folder that can be written to",
    }.get(error.errno or 0, "")
    return f"{file}{error.strerror or error}{hint}"
