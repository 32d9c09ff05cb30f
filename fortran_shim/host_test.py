"""Check that the coupling on a host's page holds what coupling promises.

The program is a stand-in of the host, of our own, that calls landstep as the host's page says. What
is compared is every field that the page touches, on every day, to the bit.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from landstep.emulator.errors import DependencyError
from landstep.fortran_shim import build
from landstep.fortran_shim.host_test_files import HostTest
from landstep.fortran_shim.host_test_run import (
    Day,
    Recorded,
    build_host_test,
    run_host_test,
    write_experiment,
)

FIRST: Day = (2015, 1, 1)
RESTART: Day = (2017, 9, 13)
AFTER_RESTART: Day = (2017, 9, 14)
LAST: Day = (2018, 1, 20)
"""A run from the map of 2015 could begin in 2016 too, without a restart: so it stands later."""


@dataclass(frozen=True)
class Check:
    """One check of a host.

    passed : None where it could not be made
    detail : what was found, in words
    """

    name: str
    passed: bool | None
    detail: str

    @property
    def line(self) -> str:
        """The check as a line of a report."""
        state = {True: "ok", False: "FAILED", None: "left out"}[self.passed]
        return f"{state:8}  {self.name}: {self.detail}"


def check_host(
    test: HostTest,
    world: Path,
    out: Path,
    *,
    compiler: str | None = None,
    full: bool = False,
    progress: Callable[[str], None] = lambda text: None,
) -> list[Check]:
    """Build and run a host's test, and compare.

    world : folder of a made-up globe, `landstep world --globe`
    out : folder for programs and runs; must not hold those of an earlier test
    compiler : of the host; None is $FC or gfortran
    full : every set of flags, and what a user may set or miss
    Raises DependencyError where there is no compiler, InputError where the test does not compile.
    """
    checks: list[Check] = []
    for number, flags in enumerate(test.flags if full else test.flags[:1]):
        progress(f"{test.name}: {' '.join(flags) or 'no flags'}")
        folder = out / str(number)
        runs = _Runs(test, world, folder, flags, compiler)
        label = f" ({' '.join(flags)})" if full else ""
        checks += [Check(c.name + label, c.passed, c.detail) for c in runs.common()]
        if full and number == 0:
            checks += runs.further()
    return checks


class _Runs:
    """The runs of one build."""

    def __init__(
        self,
        test: HostTest,
        world: Path,
        folder: Path,
        flags: tuple[str, ...],
        compiler: str | None,
    ) -> None:
        self.test, self.world, self.folder = test, world, folder
        self.flags, self.compiler = flags, compiler
        self.no_mpi = _why_no_mpi(test)
        self.mpi = test.ranks > 1 and not self.no_mpi
        self.program = self.built("program")
        folder.mkdir(parents=True, exist_ok=True)
        self.experiment = self.written("page")

    def built(self, name: str, *, stub: bool = False) -> Path:
        return build_host_test(
            self.test,
            self.folder / name,
            flags=self.flags,
            compiler=self.compiler,
            mpi=self.mpi,
            stub=stub,
        )

    def written(self, name: str, **entries: str | bool) -> Path:
        path = self.folder / f"{name}.toml"
        write_experiment(path, self.world, self.test, entries)
        return path

    def run(
        self,
        name: str,
        first: Day = FIRST,
        last: Day = LAST,
        *,
        ranks: int = 1,
        program: Path | None = None,
        experiment: Path | None = None,
        coupled: bool = True,
        restart_at: Day = (0, 0, 0),
        restart_from: Path | None = None,
    ) -> Recorded:
        return run_host_test(
            program or self.program,
            self.folder / name,
            experiment or self.experiment,
            first,
            last,
            coupled=coupled,
            restart_at=restart_at,
            restart_from=restart_from,
            ranks=ranks if self.mpi else 0,
        )

    def common(self) -> Iterator[Check]:
        """The checks of the short form."""
        self.alone = self.run("alone", coupled=False)
        self.coupled = self.run("coupled", restart_at=RESTART)
        yield _ran("runs without landstep", self.alone)
        yield _ran("runs with landstep", self.coupled)
        if self.alone.status or self.coupled.status:
            return
        yield _same_reference_year(self.alone, self.coupled)
        yield _something_moves(self.alone, self.coupled)
        ranks = self.test.ranks if self.mpi else 1
        words = f"on {ranks} ranks, begun on 1" if self.mpi else "one process"
        again = self.run("again", AFTER_RESTART, ranks=ranks, restart_from=self.coupled.folder)
        yield _same_after("restart", again, self.coupled, words)
        if self.no_mpi:
            yield Check("2 ranks", None, self.no_mpi)

    def further(self) -> Iterator[Check]:
        """What a user may set or miss."""
        if self.alone.status or self.coupled.status:
            return
        if self.mpi:
            ranks = self.run("ranks", ranks=self.test.ranks, restart_at=RESTART)
            yield _same_after("ranks", ranks, self.coupled, f"{self.test.ranks} from the first day")
            one = self.run("one", AFTER_RESTART, restart_from=ranks.folder)
            yield _same_after(
                "restart", one, self.coupled, f"on 1 rank, begun on {self.test.ranks}"
            )
        off = self.run("off", experiment=self.written("off", active=False))
        yield _same_after("active = false", off, self.alone, "as without landstep")
        seen = self.folder / "observed"
        watched = self.run(
            "watched", experiment=self.written("watched", observe=str(seen.resolve()))
        )
        yield _same_after("observe", watched, self.alone, "as without landstep")
        files = sorted(path.name for path in seen.glob("landstep_fields_*.nc"))
        yield Check("observe writes", len(files) >= 2, ", ".join(files) or "no file")
        yield self._broken()
        stub = self.run("stub", program=self.built("stub_program", stub=True))
        yield _ended_with("stub", stub, "not built in")

    def _broken(self) -> Check:
        """An experiment whose map is missing: the host ends by its own routine, with the reason."""
        path = self.written("broken")
        text = path.read_text("utf-8")
        path.write_text(text.replace("hildaplus.nc", "no_such_map.nc"), "utf-8")
        run = self.run("broken_run", experiment=path)
        return _ended_with("an error ends the host with its reason", run, "no_such_map.nc")


def _why_no_mpi(test: HostTest) -> str:
    """Why a host with ranks cannot be run on ranks here; "" where it can, or knows no ranks."""
    if test.ranks == 1:
        return ""
    try:
        build.mpi_compiler()
    except DependencyError as error:
        return str(error)
    return "" if shutil.which("mpirun") else "there is no mpirun"


def _last_line(run: Recorded) -> str:
    """What a run said last, and how it ended."""
    lines = [line for line in run.printed.splitlines() if line.strip()]
    return f"status {run.status}: {lines[-1] if lines else 'it said nothing'}"


def _ended_with(name: str, run: Recorded, reason: str) -> Check:
    """A run that has to fail, and to say why."""
    said = [line.strip() for line in run.printed.splitlines() if reason in line]
    if run.status == 0 or not said:
        return Check(name, False, f"expected {reason!r}; {_last_line(run)}")
    return Check(name, True, said[0])


def _ran(name: str, run: Recorded) -> Check:
    if run.status:
        return Check(name, False, f"status {run.status} in {run.folder}: {run.printed.strip()}")
    fields = sorted({field for day in run.checksums.values() for field in day})
    if not fields:
        return Check(name, False, "no field was recorded")
    return Check(name, True, f"{len(run.checksums)} days, {', '.join(fields)}")


def _first_difference(one: Recorded, other: Recorded, days: list[str]) -> str:
    """The first day and fields that differ; "" where none does."""
    for day in days:
        found, wanted = one.checksums.get(day, {}), other.checksums.get(day, {})
        names = sorted(n for n in {*found, *wanted} if found.get(n) != wanted.get(n))
        if names:
            return f"{day}: {', '.join(names)} differ"
    return ""


def _same_reference_year(alone: Recorded, coupled: Recorded) -> Check:
    name = "reference year identical"
    days = [day for day in sorted(alone.checksums) if day.startswith(f"{FIRST[0]}-")]
    differs = _first_difference(coupled, alone, days)
    points = max(n for n, _ in alone.checksums[days[0]].values())
    return Check(name, not differs, differs or f"{len(days)} days, {points} points, to the bit")


def _something_moves(alone: Recorded, coupled: Recorded) -> Check:
    year = FIRST[0] + 1
    moved = {
        name: sum(coupled.values[at, name].get(p) != bits for p, bits in points.items())
        for (at, name), points in alone.values.items()
        if at == year
    }
    words = ", ".join(f"{name} at {n}" for name, n in sorted(moved.items())) + " points"
    return Check("something moves", any(moved.values()), f"{year}: {words}")


def _same_after(name: str, run: Recorded, wanted: Recorded, words: str) -> Check:
    if run.status:
        return Check(f"{name} exact", False, _last_line(run))
    begun = min(run.checksums, default="nowhere")
    days = [day for day in sorted(wanted.checksums) if day >= begun]
    differs = _first_difference(run, wanted, days)
    words = differs or f"{len(days)} days, {words}"
    return Check(f"{name} exact", bool(days) and not differs, words)
