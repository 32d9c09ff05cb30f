"""Feeds mutated files to a child process, watches it, and counts what comes of them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase

from . import kinds
from .kinds import Kind, Mutation, Mutator, mutations
from .seeds import make_seeds

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = "tests.fuzz"
"""What this folder is called from the repository; pytest calls it otherwise."""
CPU_LIMIT_S = 20.0
"""Processor time that one file may take; a busy machine does not change it."""
LEAST_S = 2.0
"""Time that each kind gets, also where a hang before it took more than its share."""
WALL_LIMIT_S = 240.0
"""Time after which a child that uses no processor waits for what will not come."""
KEPT = 3
"""Inputs that are kept of each failure."""

GOOD = ("refused", "accepted")
BAD = ("untyped", "hang", "crash", "different", "unnamed")
"""Unnamed: refused in words that do not name the file."""
COLUMNS = (*GOOD, *BAD)

Verdict = dict[str, str]


class Child:
    """A process that reads files; another one takes its place where it hangs or crashes."""

    def __init__(self, seeds: Path, kinds: str) -> None:
        self.seeds, self.kinds, self.process = seeds, kinds, None
        self.log = tempfile.TemporaryFile()

    def ask(self, kind: str, path: Path) -> Verdict:
        """Let it read a file: its verdict, or "hang" or "crash"."""
        process = self._started()
        start, cpu = time.monotonic(), _cpu_seconds(process.pid)
        assert process.stdin is not None
        process.stdin.write(f"{kind}\t{path}\n".encode())
        process.stdin.flush()
        while not select.select([self.answers], [], [], 0.2)[0]:
            used = _cpu_seconds(process.pid) - cpu
            if used > CPU_LIMIT_S or time.monotonic() - start > WALL_LIMIT_S:
                self.close()
                return {"what": "hang", "where": "", "message": f"{used:.0f} s of processor time"}
        line = self.answers.readline()
        if line:
            return dict(json.loads(line))
        status, said = process.wait(), self._said()
        self.close()
        return {"what": "crash", "where": _frame(said), "message": f"exit {status}", "trace": said}

    def _started(self) -> Any:
        if self.process is None:
            reading, writing = os.pipe()
            self.log.seek(0)
            self.log.truncate()
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    f"{PACKAGE}.child",
                    str(self.seeds),
                    str(writing),
                    self.kinds,
                ],
                stdin=subprocess.PIPE,
                stdout=self.log,
                stderr=self.log,
                pass_fds=[writing],
                cwd=REPOSITORY,
                env=os.environ | {"OMP_NUM_THREADS": "1"},
            )
            os.close(writing)
            self.answers = os.fdopen(reading, "rb")
            if self.answers.readline() != b"ready\n":
                raise RuntimeError(f"the child did not start: {self._said()}")
        return self.process

    def _said(self) -> str:
        self.log.seek(0, os.SEEK_END)
        self.log.seek(max(0, self.log.tell() - 4000))
        return self.log.read().decode("utf-8", "replace")

    def close(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process.stdin.close()
            self.answers.close()
            self.process = None


def _cpu_seconds(pid: int) -> float:
    """Processor time of a process and of those that it waited for, in seconds."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
    except OSError:
        return 0.0
    return sum(map(int, text.rpartition(")")[2].split()[11:15])) / os.sysconf("SC_CLK_TCK")


def _frame(said: str) -> str:
    """Return the innermost line of landstep's own in what faulthandler said."""
    for line in said.splitlines():
        if "/landstep/" in line and "line " in line:
            return line.strip().split("/landstep/")[-1]
    return ""


@dataclass
class Found:
    """What came of the inputs of each kind, and where failing ones were put."""

    out: Path
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    failures: dict[tuple[str, ...], list[Path]] = field(default_factory=dict)
    first: dict[tuple[str, ...], Verdict] = field(default_factory=dict)

    def add(self, name: str, verdict: Verdict, content: bytes, suffix: str) -> None:
        """Count a verdict, and keep the input of a failure."""
        what = verdict["what"]
        self.counts.setdefault(name, Counter())[what] += 1
        if what in GOOD:
            return
        told = verdict.get("message", "") if what == "unnamed" else ""
        key = (name, what, verdict.get("type", ""), verdict.get("where", "") or told[:60])
        kept = self.failures.setdefault(key, [])
        self.first.setdefault(key, verdict)
        if len(kept) < KEPT:
            self.out.mkdir(parents=True, exist_ok=True)
            mark = hashlib.sha256(content).hexdigest()[:10]
            path = self.out / f"{name.replace(' ', '_')}-{what}-{mark}{suffix}"
            if path in kept:
                return
            path.write_bytes(content)
            path.with_name(path.name + ".txt").write_text(json.dumps(verdict, indent=1), "utf-8")
            kept.append(path)

    @property
    def failed(self) -> bool:
        """Tell whether anything but a refusal or an accepted file was seen."""
        return bool(self.failures)

    def table(self) -> str:
        """Return the counts as text."""
        width = max([*map(len, self.counts), 5])
        lines = [f"{'kind':{width}}" + "".join(f"{c:>11}" for c in ("inputs", *COLUMNS))]
        total: Counter[str] = Counter()
        for name, counts in [*self.counts.items(), ("all", total)]:
            row = (sum(counts.values()), *(counts[column] for column in COLUMNS))
            lines.append(f"{name:{width}}" + "".join(f"{n:>11}" for n in row))
            total += counts
        for key, paths in self.failures.items():
            verdict = self.first[key]
            lines.append(
                f"\n{': '.join(part for part in key if part)}: {verdict.get('message', '')[:300]}"
            )
            lines += [f"    {path}" for path in paths]
        return "\n".join(lines)


def judged(kind: Kind, verdict: Verdict, expected: str | None, path: Path) -> Verdict:
    """Hold a verdict against what the file must give: its checksum's answer, and its name."""
    wrong = kind.checked and expected is not None and verdict.get("digest") != expected
    if verdict["what"] == "accepted" and wrong:
        return verdict | {"what": "different"}
    names = (path.name, kind.output) if kind.output else (path.name,)
    named = not kind.named or any(name in verdict.get("message", "") for name in names)
    if verdict["what"] == "refused" and not named:
        return verdict | {"what": "unnamed"}
    return verdict


class Fuzz:
    """A run over kinds of files."""

    def __init__(self, seeds: Path, out: Path, seed: int, kinds: Any = kinds) -> None:
        self.seeds, self.seed, self.found = seeds, seed, Found(out)
        self.kinds = kinds.KINDS
        self.child = Child(seeds, f"{PACKAGE}.{kinds.__name__.rpartition('.')[2]}")

    def close(self) -> None:
        """End the child."""
        self.child.close()

    def read(self, name: str, content: bytes, expected: str | None = None) -> Verdict:
        """Let the child read one file of a kind, as bytes."""
        kind, path = self.kinds[name], self._put(name, content)
        return judged(kind, self.child.ask(name, path), expected, path)

    def whole(self, name: str) -> list[str]:
        """Read the seeds of a kind as they are: what each of them gives. They must be accepted."""
        digests = []
        for seed in self.kinds[name].seeds:
            verdict = self.child.ask(name, self._put(name, (self.seeds / seed).read_bytes()))
            if verdict["what"] != "accepted":
                raise RuntimeError(f"{name}: its seed {seed} is not accepted: {verdict}")
            digests.append(verdict["digest"])
        return digests

    def _put(self, name: str, content: bytes) -> Path:
        """Write a file that is another one to the system: HDF5 may hold the last one open."""
        path = self.seeds / self.kinds[name].place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_bytes(content)
        return path

    def kind(self, name: str, inputs: int, seconds: float | None = None) -> None:
        """Try mutated files of a kind: so many, or for so long once its seeds were read."""
        kind, mutator = self.kinds[name], Mutator(self.kinds[name], self.seeds)
        digests, place = self.whole(name), Path(self.kinds[name].place)
        until = None if seconds is None else time.monotonic() + seconds
        try:
            for mutation in _drawn(kind, f"{self.seed}:{name}", inputs, until):
                content = mutator.made(mutation)
                if content is None or content == mutator.contents[mutation[0]]:
                    continue
                number, odd, *_ = mutation
                another = bool(odd) and kind.checked == "behind"
                verdict = self.read(name, content, None if another else digests[number])
                self.found.add(name, verdict, content, place.suffix)
        finally:
            self._put(name, mutator.contents[-1])


def _drawn(kind: Kind, seed: str, inputs: int, until: float | None) -> Iterator[Mutation]:
    """Draw mutations by hypothesis, some hundred at a time."""
    first = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:6], "big")
    while inputs > 0 and (until is None or time.monotonic() < until):
        drawn: list[Mutation] = []
        _collect(mutations(kind), first, min(inputs, 200), drawn.append)
        for mutation in drawn:
            if until is not None and time.monotonic() >= until:
                return
            yield mutation
        inputs, first = inputs - max(1, len(drawn)), first + 1


def _collect(of: Any, seed: int, count: int, take: Callable[[Mutation], None]) -> None:
    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        derandomize=False,
    )
    @hypothesis.given(of)
    def each(mutation: Mutation) -> None:
        take(mutation)

    each()


def run(
    names: list[str],
    out: Path,
    seed: int,
    *,
    seconds: float | None,
    inputs: int,
    one_child: bool = False,
) -> Found:
    """Try files of some kinds.

    seconds : in all, shared evenly; None: `inputs` of each kind, the same ones on any machine
    one_child : read all kinds in one process, as far as it lives, to save its start
    """
    with tempfile.TemporaryDirectory(prefix="landstep-fuzz-") as folder:
        with contextlib.closing(Fuzz(make_seeds(Path(folder) / "seeds"), out, seed)) as fuzz:
            end = time.monotonic() + (seconds or 0)
            for number, name in enumerate(names):
                left = (end - time.monotonic()) / (len(names) - number)
                fuzz.kind(name, inputs, None if seconds is None else max(left, LEAST_S))
                print(
                    f"{name}: {dict(fuzz.found.counts.get(name, {}))}", file=sys.stderr, flush=True
                )
                if not one_child:
                    fuzz.close()
        return fuzz.found
