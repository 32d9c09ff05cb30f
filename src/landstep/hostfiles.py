"""`landstep hostfile HOST`: the land use of a run in a copy of a host's own boundary file."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from landstep.arguments import parse_pair

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Put the land use of a run into a copy of a host's boundary file.",
)

Source = Annotated[Path, typer.Argument(help="the host's file; it is only read")]
ExperimentFile = Annotated[Path, typer.Argument(help="experiment file (TOML) that the run is of")]
RunFolder = Annotated[Path, typer.Option(help="folder of `landstep run`")]
Year = Annotated[int, typer.Option(help="whose land use is put in")]
Output = Annotated[Path, typer.Option(help="file to write; OUTPUT.landstep.json goes beside it")]
Points = Annotated[
    Path | None,
    typer.Option(help="another file, with the longitudes and latitudes that the host's lacks"),
]
Reference = Annotated[
    int | None,
    typer.Option(
        help="year that the file's own fields belong to; else [coupling] reference, or "
        "the run's first year"
    ),
]


ONE_YEAR = {
    "ecland": """Update ecLand's surfclim: covers, types, monthly LAI and albedo, lakes, towns.

    Example: `landstep hostfile ecland surfclim experiment.toml --year 2030 --output surfclim_2030`
    """,
    "speedy": """Update SPEEDY's surface.nc: vegh, vegl and alb.

    Example: `landstep hostfile speedy surface.nc experiment.toml --year 2030 --output new.nc`
    """,
    "noahmp": """Update HRLDAS's setup file or wrfinput: IVGTYP, VEGFRA, SHDMAX, SHDMIN, LAI.

    Example: `landstep hostfile noahmp setup.nc experiment.toml --year 2030 --output new.nc`
    """,
    "jules": """Update JULES's ancillary of surface type fractions: frac, nine standard types.

    Example: `landstep hostfile jules frac.nc experiment.toml --points grid.nc --year 2030 --output
    frac_2030.nc`
    """,
    "jsbach": """Update JSBACH's initial file or yearly map: cover_fract (11 tiles), veg_ratio_max.

    Example: `landstep hostfile jsbach jsbach.nc experiment.toml --year 2030 --output new.nc`
    """,
    "wrf": """Update geo_em or wrfinput: classes, their shares, green fraction, LAI and albedo.

    Classes of MODIS-IGBP (20 or 21) or USGS (24), as attribute MMINLU says.

    Example: `landstep hostfile wrf geo_em.d01.nc experiment.toml --year 2030 --output new.nc`
    """,
}
"""Hosts whose file holds one state of the land, and their help."""


def _one_year(host: str) -> Callable[..., None]:
    """Make the command of such a host."""

    def command(
        source: Source,
        experiment: ExperimentFile,
        year: Year,
        output: Output,
        run: RunFolder = Path("run"),
        reference: Reference = None,
        points: Points = None,
    ) -> None:
        years = (year, year)
        _update(host, source, run, experiment, years, output, reference, points=points)

    return command


for _host, _about in ONE_YEAR.items():
    app.command(_host, help=inspect.cleandoc(_about))(_one_year(_host))


@app.command()
def ctsm(
    source: Source,
    experiment: ExperimentFile,
    output: Output,
    year: Annotated[int | None, typer.Option(help="of a surfdata file")] = None,
    years: Annotated[str, typer.Option(help="of a landuse.timeseries file, FIRST:LAST")] = "",
    run: RunFolder = Path("run"),
    reference: Reference = None,
) -> None:
    """Update CTSM's surfdata (--year) or landuse.timeseries (--years), with its maxima.

    Example: `landstep hostfile ctsm landuse.timeseries.nc experiment.toml --years 2016:2030
    --output new.nc`

    Surface data: `landstep hostfile ctsm surfdata.nc experiment.toml --year 2030 --output new.nc`
    """
    if (year is None) == (not years):
        raise typer.BadParameter("give --year for a surfdata file, --years for a series")
    asked = parse_pair(years, ":", "--years") if year is None else (year, year)
    _update("ctsm", source, run, experiment, asked, output, reference)


@app.command()
def ifs(
    experiment: ExperimentFile,
    year: Year,
    output: Output,
    template: Annotated[Path | None, typer.Option(help="GRIB file that is updated")] = None,
    grid: Annotated[str, typer.Option(help="without a file: O320, N320, ...")] = "",
    run: RunFolder = Path("run"),
    reference: Reference = None,
) -> None:
    """Write the IFS's cvl, cvh, tvl, tvh, LAI and albedo as GRIB (needs the extra `grib`).

    Example: `landstep hostfile ifs experiment.toml --template climate.grib --year 2030 --output
    new.grib`

    Without a file, [coupling] mode = "absolute": `landstep hostfile ifs experiment.toml --grid
    O320 --year 2030 --output new.grib`
    """
    _update("ifs", template, run, experiment, (year, year), output, reference, grid or None)


def _update(
    host: str,
    source: Path | None,
    run: Path,
    experiment: Path,
    years: tuple[int, int],
    output: Path,
    reference: int | None,
    grid: str | None = None,
    points: Path | None = None,
) -> None:
    """Do it and say what came of it."""
    from landstep.coupling.host_files.update import Task, update_host_file
    from landstep.progress import Progress

    task = Task(host, source, run, experiment, years, output, reference, grid, points)
    with Progress("hostfile") as progress:
        done = update_host_file(task, progress.say)
    typer.echo(done.text)
