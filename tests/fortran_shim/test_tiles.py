"""What moves between the example host's tiles, against hand, parcels and exact arithmetic."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from landstep.emulator.errors import DependencyError
from landstep.fortran_shim import build

SOURCES = ("example_points.f90", "example_tiles.f90")
Move = Callable[..., dict[str, np.ndarray]]


@pytest.fixture(scope="module", params=["single", "double"])
def move(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Move:
    """Give the function that moves stores in the host's own Fortran, in either real kind."""
    folder = tmp_path_factory.mktemp("tiles")
    try:
        compiler = build.fortran_compiler()
    except DependencyError as error:
        pytest.skip(str(error))
    flags = ["-fdefault-real-8", "-ffpe-trap=invalid,zero,overflow", "-finit-real=snan"]
    sources = [*build.fortran_sources(SOURCES), Path(__file__).with_name("tiles_probe.f90")]
    program = folder / "probe"
    command = [compiler, "-g", "-fcheck=all", f"-J{folder}", "-o", str(program)]
    command += flags if request.param == "double" else []
    subprocess.run([*command, *map(str, sources)], check=True, capture_output=True)

    def run(old, new, turnover, water, heat) -> dict[str, np.ndarray]:
        n, m = old.shape
        numbers = [repr(float(x)) for a in (old, new, turnover, water, heat) for x in a.ravel()]
        text = f"{n} {m}\n" + "\n".join(numbers) + "\n"
        done = subprocess.run([str(program)], input=text, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
        table = np.array([line.split() for line in done.stdout.splitlines()], np.float64)
        names = ("fraction", "water", "heat")
        found = {name: table[:, i * m : (i + 1) * m] for i, name in enumerate(names)}
        for i, name in enumerate(("before", "after", "water_error", "heat_error")):
            found[name] = table[:, 3 * m + i]
        found["epsilon"] = np.finfo(np.float64 if request.param == "double" else np.float32).eps
        return found

    return run


def cases(seed: int, n: int, m: int) -> tuple[np.ndarray, ...]:
    """Random points: tiles that vanish, appear, stay, or hold nothing; turnover of any size."""
    rng = np.random.default_rng(seed)
    shares = []
    for _ in range(2):
        parts = rng.random((n, m)) * (rng.random((n, m)) < 0.6)
        parts[:, 0] += 1e-3
        shares.append(parts / parts.sum(axis=1, keepdims=True))
    old, new = shares
    new[: n // 5] = old[: n // 5]
    turnover = rng.random((n, m)) * (rng.random((n, m)) < 0.5)
    water = rng.uniform(0, 300, (n, m)).astype(np.float32) * (old > 0)
    heat = rng.uniform(1.0e9, 1.3e9, (n, m)).astype(np.float32) * (old > 0)
    return old, new, turnover, water.astype(np.float64), heat.astype(np.float64)


def exact(old, new, turnover, store) -> tuple[list[Fraction], Fraction, Fraction]:
    """One point in exact arithmetic: what each tile then holds in all, and totals of the change."""
    old, new, turnover, store = (
        [Fraction(float(x)) for x in a] for a in (old, new, turnover, store)
    )
    loss, gain = [], []
    for f0, f1, swap in zip(old, new, turnover, strict=True):
        swap = min(swap, f0, f1)
        loss.append(max(f0 - f1, Fraction(0)) + swap)
        gain.append(max(f1 - f0, Fraction(0)) + swap)
    pool = sum(x * w for x, w in zip(loss, store, strict=True))
    held = [
        (f0 - x) * w + (pool * g / sum(gain) if g else 0)
        for f0, x, w, g in zip(old, loss, store, gain, strict=True)
    ]
    return held, sum(loss), sum(gain)


def test_two_tiles_by_hand(move: Move) -> None:
    """Forest of 100 kg m-2 gives a fifth of the point to grass of 20; then a tenth swaps too."""
    old, new = np.array([[0.5, 0.5]] * 2), np.array([[0.3, 0.7]] * 2)
    turnover = np.array([[0.0, 0.0], [0.1, 0.1]])
    water, heat = np.array([[100.0, 20.0]] * 2), np.array([[4.0e8, 8.0e8]] * 2)
    found = move(old, new, turnover, water, heat)
    assert np.allclose(found["water"][0], [100, (0.5 * 20 + 0.2 * 100) / 0.7], rtol=1e-6)
    pool = (0.3 * 100 + 0.1 * 20) / 0.4
    with_swap = [(0.2 * 100 + 0.1 * pool) / 0.3, (0.4 * 20 + 0.3 * pool) / 0.7]
    assert np.allclose(found["water"][1], with_swap, rtol=1e-6)
    assert np.allclose(found["before"], 60) and np.allclose(found["after"], 60)


def test_tiles_that_vanish_give_up_all_and_those_that_appear_start_from_the_pool(
    move: Move,
) -> None:
    old, new = np.array([[0.25, 0.75, 0.0]]), np.array([[0.0, 0.75, 0.25]])
    water, heat = np.array([[40.0, 8.0, 0.0]]), np.array([[6.0e8, 7.0e8, 0.0]])
    found = move(old, new, np.zeros((1, 3)), water, heat)
    assert found["water"].tolist() == [[0.0, 8.0, 40.0]]
    assert found["heat"].tolist() == [[0.0, 7.0e8, 6.0e8]]


def test_budgets_close_to_the_round_off_of_the_hosts_own_kind(move: Move) -> None:
    old, new, turnover, water, heat = cases(1, 400, 7)
    found = move(old, new, turnover, water, heat)
    assert np.array_equal(found["fraction"], new)
    for name, store in (("water", water), ("heat", heat)):
        assert (found[f"{name}_error"] <= 4 * found["epsilon"]).all()
        before, after = (old * store).sum(axis=1), (new * found[name]).sum(axis=1)
        assert np.allclose(after, before, rtol=8 * found["epsilon"], atol=0)
        assert (found[name] >= 0).all() and (found[name][new == 0] == 0).all()
    assert np.abs((new * water).sum(axis=1) / (old * water).sum(axis=1) - 1).max() > 0.1  # else


def test_each_tile_holds_what_exact_arithmetic_says(move: Move) -> None:
    """Also: gain - loss = new - old, and what is lost is gained, in the host's own fractions."""
    old, new, turnover, water, heat = cases(2, 60, 5)
    found = move(old, new, turnover, water, heat)
    for i in range(len(old)):
        for name, store in (("water", water), ("heat", heat)):
            held, lost, gained = exact(old[i], new[i], turnover[i], store[i])
            assert abs(float(lost - gained)) < 1e-14
            total = float(sum(held))
            got = new[i] * found[name][i]
            assert np.allclose(got, np.array(held, float), rtol=1e-6, atol=1e-6 * total)


def test_no_change_moves_no_bit(move: Move) -> None:
    old, _, turnover, water, heat = cases(3, 100, 6)
    found = move(old, old, np.zeros_like(old), water, heat)
    assert np.array_equal(found["water"], water) and np.array_equal(found["heat"], heat)
    assert not found["water_error"].any() and not found["heat_error"].any()
    found = move(old, old, turnover, water, heat)  # a swap within each class mixes them
    assert not np.array_equal(found["water"], water)
