"""Fault 82: nothing is downloaded, and no host is looked up, whatever command runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

COMMANDS = {
    "run": ["run", "EXPERIMENT", "--years", "2015:2016", "--output", "OUT/run"],
    "inspect": ["inspect", "EXPERIMENT"],
    "doctor": ["doctor"],
}

NO_SOCKETS = """
import sys
NET = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto",
       "urllib.Request", "ftplib.connect", "http.client.connect")
def refuse(event, given):
    if event in NET:
        raise SystemExit(f"{event} {given}")
sys.addaudithook(refuse)
from landstep.__main__ import main
sys.exit(main())
"""


def command(name: str, world: Path, out: Path) -> list[str]:
    """Return the words of a command, with the paths put in."""
    places = {"EXPERIMENT": str(world / "experiment.toml")}
    return [places.get(word, word.replace("OUT", str(out))) for word in COMMANDS[name]]


@pytest.mark.parametrize("name", COMMANDS)
def test_no_command_opens_a_connection(name: str, world: Path, tmp_path: Path) -> None:
    """By Python's own events: an attempt ends the process with the name of the call."""
    words = [sys.executable, "-c", NO_SOCKETS, *command(name, world, tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=1800, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_a_run_without_any_network_is_the_same_run(world: Path, tmp_path: Path) -> None:
    """In a name space of its own, where libraries in C find no network either."""
    apart = ["unshare", "--user", "--map-root-user", "--net"]
    try:
        subprocess.run([*apart, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("name spaces of the network cannot be made here")
    words = [sys.executable, "-m", "landstep", *command("run", world, tmp_path)]
    done = subprocess.run(
        [*apart, *words], capture_output=True, text=True, timeout=1800, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "run" / "land_use_2016.nc").exists()


def test_the_hook_sees_a_connection() -> None:
    script = NO_SOCKETS.split("from landstep")[0] + "import socket; socket.getaddrinfo('x', 1)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and "socket.getaddrinfo" in done.stderr
