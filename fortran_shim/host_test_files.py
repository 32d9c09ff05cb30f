"""The files of a host's conformance test, and the code of its page in the docs, taken from them.

`python -m landstep.fortran_shim.host_test_files docs/hosts` renews the code of all pages. How the
files are written: docs/host-tests.md.
"""

from __future__ import annotations

import re
import shlex
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

from landstep.emulator.errors import ConfigError, InputError
from landstep.fortran_shim.build import package_folder

BEGIN, END = "! page: begin", "! page: end"
STANDIN = "_standin.f90"


@dataclass(frozen=True)
class HostTest:
    """A host's test.

    name : as in `[coupling] host`
    standin : stand-in modules that carry the host's names
    coupling : the page's code, and module host_under_test, through which the driver runs it
    settings : the page's settings, TOML
    flags : of the compiler, one tuple a build; the short form takes the first
    mpi_flags : further flags where it is built with MPI
    ranks : how many ranks of MPI the host is run on; 1 where it knows no MPI
    """

    name: str
    standin: Path
    coupling: Path
    settings: Path
    flags: tuple[tuple[str, ...], ...]
    mpi_flags: tuple[str, ...]
    ranks: int


def folder() -> Path:
    """Return the folder of the installed tests."""
    return package_folder() / "fortran_shim" / "host_tests"


def host_test_names() -> list[str]:
    """Return the hosts that have a test."""
    return sorted(path.name.removesuffix(STANDIN) for path in folder().glob(f"*{STANDIN}"))


def host_test(name: str) -> HostTest:
    """Return a host's test.

    Raises ConfigError for a host that has none, InputError naming the first line that is no
    directive of a test.
    """
    if name not in host_test_names():
        raise ConfigError(f"no test of host {name!r}: expected one of {host_test_names()}")
    standin = folder() / f"{name}{STANDIN}"
    flags: list[tuple[str, ...]] = []
    mpi_flags: tuple[str, ...] = ()
    ranks = 1
    for number, line in enumerate(standin.read_text("utf-8").splitlines(), 1):
        if not line.startswith("! host-test:"):
            continue
        key, _, value = (part.strip() for part in line.removeprefix("! host-test:").partition("="))
        if key == "flags":
            flags.append(tuple(shlex.split(value)))
        elif key == "mpi_flags":
            mpi_flags = tuple(shlex.split(value))
        elif key == "ranks" and value in ("1", "2"):
            ranks = int(value)
        else:
            raise InputError(
                f"{standin}, line {number}: {line!r}, expected '! host-test: flags = ...', "
                "mpi_flags = ... or ranks = 1 (or 2)"
            )
    return HostTest(
        name=name,
        standin=standin,
        coupling=folder() / f"{name}.f90",
        settings=folder() / f"{name}.toml",
        flags=tuple(flags) or ((),),
        mpi_flags=mpi_flags,
        ranks=ranks,
    )


def page_code(source: Path) -> list[str]:
    """Return the parts of a Fortran file that stand on its page, in order, moved to the left edge.

    Raises InputError naming the line where a part begins within another, or ends without one.
    """
    parts: list[str] = []
    lines: list[str] | None = None
    for number, line in enumerate(source.read_text("utf-8").splitlines(keepends=True), 1):
        mark = line.strip()
        if mark == (BEGIN if lines is not None else END):
            raise InputError(f"{source}, line {number}: {mark!r}, the other mark was expected")
        if mark == BEGIN:
            lines = []
        elif mark == END and lines is not None:
            parts.append(textwrap.dedent("".join(lines)))
            lines = None
        elif lines is not None:
            lines.append(line)
    if lines is not None:
        raise InputError(f"{source}: the last {BEGIN!r} has no {END!r}")
    return parts


def with_code(page: Path) -> str:
    """Return the text of a host's page with the code and settings of its test.

    The blocks ```fortran are the parts of `page_code` in order, the block ```toml the settings.

    Raises InputError where the page has another number of blocks.
    """
    test = host_test(page.stem)
    code = {"fortran": page_code(test.coupling), "toml": [test.settings.read_text("utf-8")]}
    text = page.read_text("utf-8")
    for language, parts in code.items():
        before, *blocks = re.split(rf"^```{language}\n", text, flags=re.M)
        if len(blocks) != len(parts):
            raise InputError(
                f"{page}: {len(blocks)} blocks ```{language}, expected {len(parts)}, one for each "
                f"part of {test.coupling if language == 'fortran' else test.settings}"
            )
        text = before
        for part, block in zip(parts, blocks, strict=True):
            _, end, after = block.partition("```\n")
            text += f"```{language}\n{part}{end}{after}"
    return text


if __name__ == "__main__":
    for path in sorted(Path(sys.argv[1]).glob("*.md")):
        if path.stem in host_test_names():
            path.write_text(with_code(path), "utf-8")
