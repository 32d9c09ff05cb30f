"""The C layer under tools that watch memory: over the stub, and over answers in plain C."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
LAYER = HERE.parents[1] / "coupling"
BACKENDS = {"stub": (LAYER / "stub.c", "9"), "plain": (HERE / "plain_answers.c", "0")}
SANITIZE = "-fsanitize=address,undefined"


def build(folder: Path, source: Path, expected: str, *flags: str) -> list[str]:
    """Compile the probe over a backend: the command that runs it. Skip without a C compiler."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        pytest.skip("no C compiler")
    program = folder / "memory_probe"
    command = [
        compiler, "-std=c11", "-D_GNU_SOURCE", "-g", "-Wall", "-Wextra", "-Werror", *flags,
        f"-I{LAYER}", '-DLANDSTEP_VERSION="0.1.0"', "-o", str(program),
        str(HERE / "memory_probe.c"), str(LAYER / "entry.c"), str(source), "-lpthread", "-lm",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [str(program), expected]


def sanitized(folder: Path, source: Path, expected: str) -> list[str]:
    """The same with AddressSanitizer; skip where the compiler has none."""
    (folder / "try.c").write_text("int main(void) { return 0; }\n")
    compiler = shutil.which(os.environ.get("CC", "cc")) or "cc"
    trial = [compiler, SANITIZE, str(folder / "try.c"), "-o", str(folder / "try")]
    if subprocess.run(trial, capture_output=True).returncode != 0:
        pytest.skip("the C compiler has no AddressSanitizer")
    return build(folder, source, expected, SANITIZE, "-fno-sanitize-recover=all")


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_c_layer_is_clean_under_address_sanitizer(tmp_path: Path, backend: str) -> None:
    done = subprocess.run(sanitized(tmp_path, *BACKENDS[backend]), capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_address_sanitizer_sees_an_array_that_is_too_short(tmp_path: Path) -> None:
    """The negative control: the answers write one number more than the probe has room for."""
    source = (HERE / "plain_answers.c").read_text("utf-8")
    bad = source.replace("for (i = 0; i < n_values; i++)", "for (i = 0; i <= n_values; i++)")
    assert bad != source
    (tmp_path / "bad.c").write_text(bad)
    done = subprocess.run(
        sanitized(tmp_path, tmp_path / "bad.c", "0"), capture_output=True, text=True
    )
    assert done.returncode != 0 and "heap-buffer-overflow" in done.stderr


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_c_layer_is_clean_under_valgrind(tmp_path: Path, backend: str) -> None:
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        pytest.skip("no valgrind (Debian: apt-get install valgrind)")
    options = ["--quiet", "--error-exitcode=99", "--leak-check=full", "--show-leak-kinds=all"]
    command = [
        valgrind,
        *options,
        "--errors-for-leak-kinds=all",
        *build(tmp_path, *BACKENDS[backend]),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
