"""Run every test that this machine can run: on SQLite, then on a real PostgreSQL.

``run_tests.py [--bench | --proof] [PYTEST ARGUMENTS ...]``: the arguments narrow both passes,
e.g. ``-k outbox``; ``--bench`` measures instead, one test after the other; ``--proof`` runs what is
too heavy for every change: ``PROOF_STORIES`` random stories (2000) from ``PROOF_SEED`` on, which is
drawn and printed where it is not given.
``TEST_DATABASE_URL`` names the PostgreSQL, else one from a development wheel is started.
``TEST_PROCESSES`` is the number of test processes (default: one more than there are cores).
Ends with one block that counts both passes and names what was skipped and why.
"""

import collections
import os
import random
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

import with_postgres

RESULTS = Path(__file__).resolve().parent.parent / "test-results"
NO_TESTS_COLLECTED = 5
PROOF, SEED = "--proof", "PROOF_SEED"
LEFT_OUT = {"SQLite": "not postgresql", "PostgreSQL": "not sqlite"}


@dataclass
class Pass:
    """What one run of pytest came to."""

    name: str
    status: int = 0
    seconds: float = 0.0
    passed: int = 0
    failed: int = 0
    skipped: collections.Counter[str] = field(default_factory=collections.Counter)
    problem: str = ""

    @property
    def ok(self) -> bool:
        """An empty selection is no failure: ``-k`` may fit one pass only."""
        return not self.problem and self.status in (0, NO_TESTS_COLLECTED)

    def line(self) -> str:
        """Return the counts as one line of the closing block."""
        counts = self.problem or (
            f"{self.passed} passed, {self.failed} failed, {self.skipped.total()} skipped"
        )
        verdict = "ok" if self.ok else "FAILED"
        return f"  {self.name:<11} {counts} in {self.seconds:.0f} s: {verdict}"


def selection(name: str, arguments: list[str]) -> list[str]:
    """Return what pytest is to run on this database, and how."""
    if "--bench" in arguments:
        rest = [argument for argument in arguments if argument != "--bench"]
        return ["tests/bench", "-m", f"bench and {LEFT_OUT[name]}", "-s", *rest]
    kind = "proof" if PROOF in arguments else "not bench and not proof"
    rest = [argument for argument in arguments if argument != PROOF]
    processes = os.environ.get("TEST_PROCESSES", "auto")
    return ["-m", f"{kind} and {LEFT_OUT[name]}", "-n", processes, "--dist", "loadscope",
            *rest]  # fmt: skip


def run(name: str, database_url: str | None, arguments: list[str]) -> Pass:
    """Run pytest once and read what it recorded."""
    what = "Bench" if "--bench" in arguments else "Proof" if PROOF in arguments else "Tests"
    print(f"\n===== {what} on {name} =====", flush=True)
    report = RESULTS / f"{name.lower()}.xml"
    report.unlink(missing_ok=True)
    # Hundreds of processes are started: each would compile the project anew.
    left_out = {with_postgres.NAME, "PYTHONDONTWRITEBYTECODE"}
    environment = {key: value for key, value in os.environ.items() if key not in left_out}
    if database_url:
        environment[with_postgres.NAME] = database_url
    started = time.monotonic()
    child = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-rs", "--junitxml", str(report)]
        + selection(name, arguments),
        env=environment,
    )
    try:
        status = child.wait()
    except KeyboardInterrupt:
        child.wait()
        raise
    finally:
        if child.poll() is None:
            child.terminate()
            child.wait()
    result = Pass(name, status, time.monotonic() - started)
    _count(result, report)
    return result


def _count(result: Pass, report: Path) -> None:
    if not report.exists():
        result.problem = f"pytest stopped with status {result.status} and left no report"
        return
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314  # our own file
        if (skip := case.find("skipped")) is not None:
            result.skipped[skip.get("message") or "no reason given"] += 1
        elif case.find("failure") is not None or case.find("error") is not None:
            result.failed += 1
        else:
            result.passed += 1


def summary(passes: list[Pass]) -> str:
    """Return the closing block: both passes, and every reason for a skip once."""
    lines = ["", "===== Summary =====", *(one.line() for one in passes)]
    reasons = [(one.name, *entry) for one in passes for entry in one.skipped.most_common()]
    if reasons:
        lines.append("  Skipped:")
        lines += [f"    {count} on {name}: {reason}" for name, reason, count in reasons]
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Run both passes, whatever the first came to, and return 0 only if both are fine."""
    signal.signal(signal.SIGTERM, with_postgres.stop_quietly)
    RESULTS.mkdir(exist_ok=True)
    if PROOF in arguments:
        os.environ.setdefault(SEED, str(random.randrange(1_000_000) * 100))  # noqa: S311
        print(f"{SEED}={os.environ[SEED]} tells these stories again.")
    passes = [run("SQLite", None, arguments)]
    try:
        with with_postgres.address() as url:
            passes.append(run("PostgreSQL", url, arguments))
    except with_postgres.CannotStart as error:
        passes.append(Pass("PostgreSQL", 1, problem=str(error)))
    print(summary(passes), flush=True)
    return 0 if all(one.ok for one in passes) else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
