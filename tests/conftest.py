"""Fixtures that all rooms share."""

from __future__ import annotations

import inspect
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FunctionType

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, settings

from landstep.data.world import make_world
from landstep.emulator.card import manifest_path, write_manifest

REPOSITORY = Path(__file__).resolve().parents[1]
MODELS = REPOSITORY / "tests" / "models"

os.environ |= {
    "OMP_NUM_THREADS": "1",
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
    "OMPI_MCA_hwloc_base_binding_policy": "none",
    "OMPI_MCA_mpi_yield_when_idle": "1",
}
"""For ranks: as root too, without complaints, and one that waits leaves its core to others."""

settings.register_profile(
    "landstep",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("landstep")
"""Property tests: the same examples in every run, and no example fails for being slow.

`pytest --hypothesis-profile=default` draws others.
"""

COSTLY = {
    "subprocess",
    "train",
    "export_model",
    "write_verified",
    "build_example_host",
    "check_host",
}
"""What starts programs, trains or exports: a test that uses one of these is slow by itself."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what uses anything COSTLY, itself, in a function beside it or in a fixture."""
    known: dict[FunctionType, bool] = {}
    for item in items:
        if not isinstance(item, pytest.Function):
            continue
        made = [own for own in item._fixtureinfo.name2fixturedefs.values() if own]
        for function in (item.function, *(fixture[-1].func for fixture in made)):
            if _is_costly(function, known):
                item.add_marker(pytest.mark.slow)


def _is_costly(function: object, known: dict[FunctionType, bool]) -> bool:
    function = inspect.unwrap(getattr(function, "hypothesis", function))
    if not isinstance(function, FunctionType):
        return False
    if function not in known:
        known[function] = False
        names = set(_names(function.__code__))
        beside = (function.__globals__.get(name) for name in names)
        known[function] = bool(names & COSTLY) or any(
            _is_costly(other, known)
            for other in beside
            if getattr(other, "__module__", None) == function.__module__
        )
    return known[function]


def _names(code: CodeType) -> Iterator[str]:
    """Names that a function and those inside it use."""
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names(inner)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real data; the test skips where there is none.

    It is the one that LANDSTEP_REAL_DATA names, else ../shared/data beside the repository.
    """
    named = os.environ.get("LANDSTEP_REAL_DATA")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}; LANDSTEP_REAL_DATA names another folder")
    return folder


@pytest.fixture
def not_root() -> None:
    """Skip where permissions do not bite."""
    if os.geteuid() == 0:
        pytest.skip("root may read and write everything: permissions cannot be tested as root")


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a made-up world of 120 x 180 cells; "experiment.toml" in it names its files."""
    folder = tmp_path_factory.mktemp("world")
    make_world(folder, seed=3, shape=(120, 180))
    return folder


@pytest.fixture(scope="session")
def stored_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that copies a model of tests/models, with its manifest: (name) -> path.

    tests/export/test_stored_models.py says which there are, and writes them anew.
    """

    def copy(name: str) -> Path:
        stored, folder = MODELS / f"{name}.onnx", tmp_path_factory.mktemp("model")
        shutil.copy(manifest_path(stored), folder)
        return Path(shutil.copy(stored, folder))

    return copy


@pytest.fixture(scope="session")
def tiny_model(stored_model: Callable[[str], Path]) -> Path:
    """ONNX file, with manifest, of a small random network that moves every sixth cell a year."""
    return stored_model("tiny")


@pytest.fixture(scope="session")
def untrained_model(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ONNX file of the same network with the zero head of an untrained one."""
    proto = onnx.load(tiny_model)
    heads = [w for w in proto.graph.initializer if w.name.startswith("head.out.")]
    assert heads
    for weights in heads:
        zeros = np.zeros_like(onnx.numpy_helper.to_array(weights))
        weights.CopyFrom(onnx.numpy_helper.from_array(zeros, weights.name))
    path = tmp_path_factory.mktemp("model") / "untrained.onnx"
    path.write_bytes(proto.SerializeToString())
    write_manifest(path)
    return path


@pytest.fixture(scope="session")
def experiment(world: Path, tiny_model: Path) -> Path:
    """Experiment file of the made-up world whose model is the tiny one."""
    text = (world / "experiment.toml").read_text("utf-8")
    line = 'model = "builtin:world"'
    assert line in text
    path = world / "tiny.toml"
    path.write_text(text.replace(line, f'model = "{tiny_model}"'), "utf-8")
    return path
