"""Commands that make what a run needs: worlds, prepared inputs, checkpoints, models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landstep.arguments import parse_pair

app = typer.Typer()


@app.command()
def demo(
    out: Annotated[Path, typer.Argument(help="folder to make")] = Path("demo"),
) -> None:
    """Go the whole way on a made-up world: maps, drivers, Fortran host, pictures.

    Example: `landstep demo demo`
    """
    from landstep.demo import run_demo

    run_demo(out)


@app.command()
def world(
    out: Annotated[Path, typer.Argument(help="folder to make")],
    seed: Annotated[int, typer.Option(help="another seed is another world")] = 7,
    size: Annotated[str, typer.Option(help="rows x columns, multiples of 30")] = "960x1440",
    globe: Annotated[bool, typer.Option("--globe", help="a whole Earth, not a region")] = False,
    scheme: Annotated[str, typer.Option(help="hilda8, or hilda13 with forest types")] = "hilda8",
) -> None:
    """Write a made-up world in the native formats of the real files.

    Example: `landstep world world --seed 7 --size 480x720`
    """
    from landstep.data.world import make_world
    from landstep.progress import Progress

    with Progress("world") as progress:
        path = make_world(
            out,
            seed=seed,
            shape=parse_pair(size, "x", "--size"),
            globe=globe,
            scheme_name=scheme,
            progress=progress.count,
        )
    run = f"run {path} --years 2015:2030 --output run"
    further = run if scheme == "hilda8" else f"inspect {path}"
    typer.echo(f"wrote {path}; next: landstep {further}")


@app.command()
def prepare(
    sources: Annotated[Path, typer.Argument(help="file of sources (TOML)")],
    out: Annotated[Path, typer.Argument(help="folder to make")],
    years: Annotated[str, typer.Option(help="first and last map, FIRST:LAST")],
    region: Annotated[
        str, typer.Option(help="LAT_S:LAT_N,LON_W:LON_E in degrees; without it, the globe")
    ] = "",
) -> None:
    """Bring HILDA+, LUH2 and static maps onto one grid of 1/120 degree, ready to run.

    Example: `landstep prepare sources.toml iberia --region 36:44,-10:4 --years 1960:2019`
    """
    from landstep.data.prepare import prepare as prepare_inputs
    from landstep.progress import Progress

    with Progress("prepare") as progress:
        prepared = prepare_inputs(
            sources,
            out,
            parse_pair(years, ":", "--years"),
            region=region,
            progress=progress.count,
        )
    for note in prepared.notes:
        typer.echo(note)
    typer.echo(f"wrote {prepared.path}; next: landstep inspect {prepared.path}")


@app.command()
def train(
    config: Annotated[Path, typer.Argument(help="training file (TOML)")],
    output: Annotated[Path | None, typer.Option(help="checkpoint to write")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="go on from the last one")] = False,
) -> None:
    """Train a U-Net (needs the extra `train`).

    Example: `landstep train world.toml --output world.ckpt`
    """
    from landstep.training.fit import train as fit

    checkpoint = fit(config, output=output, resume=resume)
    typer.echo(f"wrote {checkpoint}; next: landstep export {checkpoint} model.onnx")


@app.command()
def export(
    checkpoint: Annotated[Path, typer.Argument(help="checkpoint of `landstep train`")],
    model: Annotated[Path, typer.Argument(help="ONNX file to write")],
) -> None:
    """Write the ONNX file and its manifest, verified against torch (needs the extra `train`).

    Example: `landstep export world.ckpt model.onnx`
    """
    from landstep.export.write import export_model

    typer.echo(f"wrote {export_model(checkpoint, model)} and its manifest")
