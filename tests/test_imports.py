"""Imports go one way, and a library is named in one place (docs/architecture.md)."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

MAY_IMPORT = {
    "emulator": {"emulator"},
    "data": {"data", "emulator"},
    "training": {"training", "emulator"},
    "evaluation": {"evaluation", "emulator"},
    "export": {"export", "training", "emulator"},
    "coupling": {"coupling", "emulator"},
    "fortran_shim": {"fortran_shim", "coupling", "emulator"},
    "src/landstep": {
        "emulator",
        "data",
        "training",
        "evaluation",
        "export",
        "coupling",
        "fortran_shim",
        "",
    },
}

ONLY_IN = {
    "onnxruntime": ("emulator/onnxruntime_library.py",),
    "netCDF4": ("emulator/netcdf_library.py",),
    "eccodes": ("coupling/host_files/grib_library.py",),
    "gribapi": ("coupling/host_files/grib_library.py",),
    "torch": ("training/", "export/"),
    "lightning": ("training/", "export/"),
    "onnx": ("export/", "emulator/graph_", "emulator/runtime.py"),
    "cffi": ("coupling/",),
    "mpi4py": ("emulator/ranks.py",),
    "rasterio": ("data/",),
    "sklearn": ("evaluation/boosting.py",),
    "matplotlib": (
        "evaluation/drawing.py",
        "evaluation/map_pictures.py",
        "src/landstep/drawing.py",
        "src/landstep/map_pictures.py",
        "src/landstep/change_pictures.py",
        "src/landstep/area_pictures.py",
    ),
}


def imported(text):
    """Every (module, is it imported as the file is loaded) that a Python text names."""
    tree = ast.parse(text)
    lazy = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or _for_types_only(node)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        at_load = id(node) not in lazy
        if isinstance(node, ast.Import):
            yield from ((alias.name, at_load) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            yield ("." * node.level) + module, at_load
            yield from ((f"{module}.{alias.name}", at_load) for alias in node.names)
        elif isinstance(node, ast.Call) and node.args:
            name = (
                node.func.attr
                if isinstance(node.func, ast.Attribute)
                else getattr(node.func, "id", "")
            )
            first = node.args[0]
            if name in ("import_module", "__import__") and isinstance(first, ast.Constant):
                yield str(first.value), at_load


def _for_types_only(node):
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def wrong_arrows(text, room):
    """Rooms that a file of `room` names and must not."""
    for module, _ in imported(text):
        if module.startswith("."):
            yield module
        if module == "landstep" or module.startswith("landstep."):
            other = (module.split(".") + [""])[1]
            if other not in {*MAY_IMPORT} and module != "landstep":
                continue  # a name out of the front door: "landstep" itself is met as well
            if other not in MAY_IMPORT[room]:
                yield module


def misplaced_libraries(text, path):
    """Libraries that the file at `path` (within the project) names and must not."""
    for module, _ in imported(text):
        places = ONLY_IN.get(module.split(".")[0])
        if places and not path.startswith(places):
            yield module


def files():
    """Every Python file of every room: (room, path within the project, text)."""
    for room in MAY_IMPORT:
        for path in sorted((ROOT / room).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if "build" not in path.relative_to(ROOT / room).parts[:-1]:
                yield room, name, path.read_text("utf-8")


def test_every_room_has_files():
    """The walk itself finds what it must hold."""
    assert {room for room, _, _ in files()} == {*MAY_IMPORT}


def test_imports_go_one_way():
    """No arrow but those of the architecture: emulator <- data, <- evaluation, and so on."""
    wrong = [(name, list(wrong_arrows(text, room))) for room, name, text in files()]
    assert [(name, modules) for name, modules in wrong if modules] == []


def test_a_library_is_named_in_one_place():
    """A library stands only where the design puts it."""
    wrong = [(name, list(misplaced_libraries(text, name))) for _, name, text in files()]
    assert [(name, modules) for name, modules in wrong if modules] == []


@pytest.mark.parametrize(
    ("room", "text"),
    [
        ("emulator", "from landstep.data.world import make_world"),
        ("emulator", "def f():\n    import landstep.training"),
        ("emulator", "from landstep import Emulator"),
        ("emulator", "from landstep import training"),
        ("training", "import landstep.export.write as write"),
        ("data", "import importlib\nimportlib.import_module('landstep.coupling')"),
        ("evaluation", "from landstep.training.network import LandUseNetwork"),
        ("emulator", "def f():\n    from landstep.evaluation import pairs"),
        ("coupling", "from ..data import world"),
    ],
)
def test_a_wrong_arrow_is_seen(room, text):
    """Negative control: each way of naming a room that is not below."""
    assert list(wrong_arrows(text, room))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("emulator/state.py", "import netCDF4"),
        ("coupling/bridge.py", "def f():\n    from torch import nn"),
        ("src/landstep/doctor.py", "__import__('onnxruntime')"),
        ("emulator/card.py", "from onnx.helper import make_node"),
        ("evaluation/pairs.py", "def f():\n    from sklearn import ensemble"),
        ("evaluation/report.py", "import matplotlib.pyplot as plt"),
    ],
)
def test_a_misplaced_library_is_seen(path, text):
    """Negative control: each way of naming a library where it must not stand."""
    assert list(misplaced_libraries(text, path))


def test_bind_c_stands_in_one_fortran_file():
    """Raw C interfaces lie alone in one file."""
    sources = [p for p in (ROOT / "fortran_shim").rglob("*") if p.suffix.lower() == ".f90"]
    sources = [p for p in sources if "build" not in p.relative_to(ROOT).parts]
    statements = {p: re.sub(r"!.*", "", p.read_text("utf-8")).lower() for p in sources}
    assert len([p for p, text in statements.items() if re.search(r"bind\s*\(\s*c\b", text)]) == 1


@pytest.mark.parametrize("door", ["landstep", "landstep.__main__"])
def test_the_front_door_loads_only_the_emulator(door):
    """Neither a host nor a command waits for torch: what it does not run, it does not import."""
    code = (
        f"import sys, {door}; "
        "heavy = ('torch', 'lightning', 'matplotlib', 'sklearn', 'cffi', 'rasterio', "
        "'landstep.data', 'landstep.training', 'landstep.evaluation', 'landstep.export', "
        "'landstep.coupling', 'landstep.fortran_shim'); "
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
