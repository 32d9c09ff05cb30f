"""The command line: `landstep COMMAND`. Each command hands over to the room that does the work."""

from __future__ import annotations

import logging
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from landstep import hostfiles, making
from landstep.arguments import BothWays, ExperimentFile, Years, parse_pair
from landstep.emulator.errors import ConfigError
from landstep.ending import Group, end_with, flush_output

if TYPE_CHECKING:
    from landstep.emulator.driver import Ran

app = typer.Typer(
    cls=Group,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="This year's 1 km land use from coarse forcing and last year's map.",
)
regress = typer.Typer(no_args_is_help=True, help="Stored references for any model and region.")
app.add_typer(making.app)
app.add_typer(regress, name="regress")
app.add_typer(hostfiles.app, name="hostfile")


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"landstep {version('landstep')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", help="say the version", callback=_say_version, is_eager=True),
    ] = False,
) -> None:
    """Take the options that stand before a command."""


@app.command()
def run(
    experiment: ExperimentFile,
    years: BothWays,
    output: Annotated[Path, typer.Option(help="folder for maps and restart")] = Path("run"),
    restart: Annotated[Path | None, typer.Option(help="start from this file")] = None,
    cold: Annotated[bool, typer.Option("--cold", help="start with only the coast known")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="begin anew in a folder in use")] = False,
    time_limit: Annotated[
        float | None, typer.Option(help="minutes; end after a year if the next could pass them")
    ] = None,
) -> None:
    """Step through the years; one CF NetCDF map and the restart after each.

    Example: `landstep run world/experiment.toml --years 2015:2030 --output run`

    Backward in time: `landstep run world/experiment.toml --years 1985:1980 --output back`

    The same command again goes on where it stopped. SIGTERM or the time limit ends a run after
    the year under way, with exit status 75; send SIGUSR1 instead to an mpirun. Where a library
    does not return within 8 s of a SIGTERM, the run is ended at once (SIGALRM, status 142).

    On many processes, with the same maps: `mpirun -n 16 landstep run ...` (needs the extra `mpi`)
    """
    from landstep.emulator.driver import run_years
    from landstep.emulator.ranks import Ranks, ended_by_all
    from landstep.progress import Progress
    from landstep.stopping import STOPPED, Stop

    first, last = parse_pair(years, ":", "--years")
    ranks = Ranks.launched()
    speaks = Progress("run", silent=not ranks.is_first)
    with ended_by_all(ranks), speaks as progress, Stop(time_limit, watched=ranks.size == 1) as stop:
        ran = run_years(
            experiment,
            first,
            last,
            output,
            restart=restart,
            cold=cold,
            fresh=fresh,
            stop=stop.reason,
            progress=progress.say,
            note=progress.note,
            ranks=ranks,
        )
        with ranks.together():
            if ranks.is_first:
                _tell(ran, output)
    if ran.stopped:
        raise typer.Exit(STOPPED)


@app.command("check")
def check_inputs(
    experiment: ExperimentFile,
    years: BothWays,
    output: Annotated[Path, typer.Option(help="folder that the run will write into")] = Path("run"),
) -> None:
    """Look at all that a run will read, before it runs, and say everything that is wrong.

    Forcing of all years and its fractions, class codes, static maps, checksums, whether the model
    fits, memory and disk (estimated). Nothing is computed or written. The exit status is 0, or that
    of the first problem.

    Example: `landstep check world/experiment.toml --years 2015:2100 --output run`
    """
    from landstep.emulator.experiment_check import check_experiment, first_error
    from landstep.progress import Progress

    first, last = parse_pair(years, ":", "--years")
    with Progress("check") as progress:
        items = check_experiment(experiment, first, last, output, progress.say)
    for item in items:
        typer.echo(item.line)
    error = first_error(items)
    if error is not None:
        raise typer.Exit(error.status)


def _tell(ran: Ran, output: Path) -> None:
    """Say what came of a run."""
    if ran.unmet:
        typer.echo(ran.unmet)
    what = "wrote" if ran.years else "nothing was left to do: there are"
    typer.echo(f"{what} {output}/land_use_{ran.state.year}.nc and its restart")
    if ran.stopped:
        typer.echo(f"stopped after {ran.state.year}: {ran.stopped}; the same command goes on")


@app.command()
def evaluate(
    experiment: ExperimentFile,
    pairs: Annotated[
        str,
        typer.Option(help="years of prior and target map, A:B,A:B; backward where B is earlier"),
    ] = "",
    train_until: Annotated[
        int | None, typer.Option(help="last year that the model learned from, the way it steps")
    ] = None,
    run: Annotated[str, typer.Option(help="free run FIRST:LAST: drift, areas")] = "",
    out: Annotated[Path, typer.Option(help="folder for report and scores")] = Path("evaluation"),
    depth: Annotated[int, typer.Option(help="years of history that boosting looks at")] = 3,
    trees: Annotated[int, typer.Option(help="trees a class that boosting grows")] = 60,
    tile: Annotated[int, typer.Option(help="coarse cells a side of a bootstrap block")] = 1,
    seed: Annotated[int, typer.Option(help="of places by chance, hidden cells, resampling")] = 0,
    fold_models: Annotated[
        str, typer.Option(help="models a.onnx,b.onnx,... each trained without its fold, in order")
    ] = "",
) -> None:
    """Score a model on maps it did not learn from, beside all that is good without one.

    Writes report.html, scores.json, scores.csv and model_card.md (needs the extra `evaluate`).

    Example: `landstep evaluate experiment.toml --pairs 2008:2009,2008:2012 --train-until 2008`

    Without true maps: `landstep evaluate experiment.toml --run 2015:2065`

    Cross-validation in space: train n models, each with `[data] fold = [k, n]`, and add
    `--fold-models 1.onnx,2.onnx,...`
    """
    from landstep.evaluate import evaluate_experiment
    from landstep.progress import Progress

    with Progress("evaluate") as progress:
        paths = evaluate_experiment(
            experiment,
            out,
            pairs=[parse_pair(pair, ":", "--pairs") for pair in pairs.split(",") if pair],
            train_until=train_until,
            run=parse_pair(run, ":", "--run") if run else None,
            depth=depth,
            trees=trees,
            tile=tile,
            seed=seed,
            fold_models=[Path(model) for model in fold_models.split(",") if model],
            progress=progress.say,
        )
    for path in paths:
        typer.echo(f"wrote {path}")


@app.command()
def verify(
    experiment: ExperimentFile,
    reference: Annotated[Path, typer.Option(help="folder of the fp32 run on the cpu")],
    years: BothWays,
    out: Annotated[
        Path | None, typer.Option(help="model to write (default: beside it, MODEL.bf16.onnx)")
    ] = None,
) -> None:
    """Hold [run] provider and precision against an fp32 run, and write the model with the result.

    First the same experiment with provider = "cpu", precision = "fp32":
    `landstep run experiment.toml --years 1990:2090 --output fp32`

    Example: `landstep verify experiment.toml --reference fp32 --years 1990:2090`

    A model runs on OpenVINO, or in bf16, only after it has passed; 100 years or more are needed.
    """
    from landstep.progress import Progress
    from landstep.verify import verify_experiment

    first, last = parse_pair(years, ":", "--years")
    with Progress("verify") as progress:
        verdict = verify_experiment(
            experiment, reference, first, last, out=out, progress=progress.say
        )
    typer.echo(verdict.text)
    typer.echo(f"wrote {verdict.model} and its manifest; name it as the experiment's model")
    if not verdict.gate.passed:
        raise typer.Exit(1)


@app.command()
def inspect(
    file: Annotated[
        Path, typer.Argument(help="model, restart, map, forcing, experiment, run folder, ...")
    ],
) -> None:
    """Say what a file or a run's folder is and holds.

    Example: `landstep inspect model.onnx`, `landstep inspect builtin:world`, `landstep inspect run`
    """
    from landstep.inspecting import describe_any

    typer.echo(describe_any(file))


@app.command()
def plot(
    run: Annotated[Path, typer.Argument(help="folder of `landstep run`")],
    years: Annotated[str, typer.Option(help="of the maps; else first, middle, last")] = "",
    region: Annotated[
        str, typer.Option(help="drawn larger: LAT_SOUTH:LAT_NORTH,LON_WEST:LON_EAST, degrees")
    ] = "",
    out: Annotated[Path | None, typer.Option(help="folder for pictures; else the run's")] = None,
    format: Annotated[str, typer.Option(help="png or pdf")] = "png",
) -> None:
    """Draw maps, what changed, and class areas against the forcing (needs the extra `plot`).

    Example: `landstep plot run --years 2015,2030 --region=47:48,-29:-27`
    """
    from landstep.pictures import draw_run
    from landstep.plot_options import parse_region, parse_years
    from landstep.progress import Progress

    asked, box = parse_years(years), parse_region(region)
    with Progress("plot") as progress:
        pictures = draw_run(
            run, years=asked, region=box, out=out, kind=format, progress=progress.count
        )
    for picture in pictures:
        typer.echo(f"wrote {picture}")


@app.command()
def doctor() -> None:
    """Say what is installed, what works, and how to get what is missing.

    Example: `landstep doctor`
    """
    from landstep.doctor import examine

    report, sound = examine()
    typer.echo(report)
    if not sound:
        raise typer.Exit(1)


@app.command()
def config(
    cflags: Annotated[bool, typer.Option("--cflags", help="for a C compiler")] = False,
    fflags: Annotated[bool, typer.Option("--fflags", help="for a Fortran compiler")] = False,
    libs: Annotated[bool, typer.Option("--libs", help="for the linker")] = False,
    sources: Annotated[bool, typer.Option("--sources", help="the module's files")] = False,
    cmakedir: Annotated[bool, typer.Option("--cmakedir", help="for find_package")] = False,
    pkgconfigdir: Annotated[
        bool, typer.Option("--pkgconfigdir", help="for PKG_CONFIG_PATH")
    ] = False,
    stub: Annotated[
        bool, typer.Option("--stub", help="with --libs: a library that says it is not built in")
    ] = False,
) -> None:
    """Print what a host's build needs.

    Example: `gfortran $(landstep config --sources) host.f90 $(landstep config --libs)`

    A build of the same host without landstep: `landstep config --libs --stub`
    """
    from landstep.fortran_shim.build import build_flags

    asked = {
        "cflags": cflags,
        "fflags": fflags,
        "sources": sources,
        "libs": libs,
        "cmakedir": cmakedir,
        "pkgconfigdir": pkgconfigdir,
    }
    flags = build_flags(stub)
    chosen = [name for name, wanted in asked.items() if wanted]
    if not chosen:
        raise ConfigError("config: say what to print: " + ", ".join(f"--{n}" for n in asked))
    typer.echo(" ".join(flags[name] for name in chosen))


@app.command("host-test")
def host_test(
    host: Annotated[str, typer.Argument(help="host, as in [coupling] host")],
    fc: Annotated[str | None, typer.Option(help="Fortran compiler; else $FC or gfortran")] = None,
    full: Annotated[bool, typer.Option("--full", help="all flags, observe, stub, errors")] = False,
    keep: Annotated[Path | None, typer.Option(help="folder for programs and runs")] = None,
) -> None:
    """Drive landstep as a host's page says, with your compiler, over a made-up globe.

    A stand-in of the host with its names, shapes, kinds, calendar and padding. Checked, to the bit:
    the reference year moves nothing, the next year something, a restart goes on, 1 and 2 ranks.

    Example: `landstep host-test speedy --fc gfortran --full`
    """
    from landstep.host_testing import try_host

    checks = try_host(host, compiler=fc, full=full, keep=keep)
    for check in checks:
        typer.echo(check.line)
    if any(check.passed is False for check in checks):
        raise typer.Exit(1)


@regress.command()
def record(
    experiment: ExperimentFile,
    reference: Annotated[Path, typer.Argument(help="folder of the reference")],
    years: Years,
    replace: Annotated[bool, typer.Option("--replace", help="write over an older one")] = False,
) -> None:
    """Store maps, host fields and their sha256 as the reference of a model and region.

    Example: `landstep regress record experiment.toml reference --years 2015:2020`
    """
    from landstep.coupling.regress import record as record_reference

    first, last = parse_pair(years, ":", "--years")
    typer.echo(record_reference(experiment, reference, first, last, replace=replace))


@regress.command()
def check(
    experiment: ExperimentFile,
    reference: Annotated[Path, typer.Argument(help="folder of the reference")],
) -> None:
    """Run again and compare with the stored reference, bit for bit.

    Example: `landstep regress check experiment.toml reference`
    """
    from landstep.coupling.regress import check as check_reference

    report = check_reference(experiment, reference)
    typer.echo(report.text)
    if not report.passed:
        raise typer.Exit(1)


def main() -> None:
    """Run the command line; an error is one line, and its status the exit code."""
    _show_warnings()
    try:
        app()
    except SystemExit:
        flush_output()
        raise
    except (Exception, KeyboardInterrupt) as error:
        end_with(error)


def _show_warnings() -> None:
    """Show on stderr what the package logs as a warning; a library shows nothing by itself."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("landstep: %(message)s"))
    handler.setLevel(logging.WARNING)
    logging.getLogger("landstep").addHandler(handler)


if __name__ == "__main__":
    main()
