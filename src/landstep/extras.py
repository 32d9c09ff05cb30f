"""The extras of the package: what each is for, which modules it brings, how to get it."""

from __future__ import annotations

EXTRAS = {
    "host": ("driving the Fortran example from Python", ("f90wrap",)),
    "plot": ("pictures", ("matplotlib",)),
    "evaluate": ("landstep evaluate", ("sklearn", "matplotlib", "scipy")),
    "train": ("training and export", ("torch", "lightning", "onnxscript")),
    "geotiff": ("HILDA+ GeoTIFF files", ("rasterio",)),
    "grib": ("landstep hostfile ifs", ("eccodes",)),
    "mpi": ("many processes on one map, hosts with MPI", ("mpi4py",)),
}
"""Name -> what for, modules."""


def how_to_get(module: str) -> str:
    """Say how a missing module is installed: the line for its extra, else for landstep itself."""
    root = module.partition(".")[0]
    if root == "onnxruntime":
        return "pip install 'landstep[cpu]' (or 'landstep[gpu]', 'landstep[openvino]')"
    for extra, (_, modules) in EXTRAS.items():
        if root in modules:
            return f"pip install 'landstep[{extra}]'"
    return "install landstep again: pip install --force-reinstall landstep"
