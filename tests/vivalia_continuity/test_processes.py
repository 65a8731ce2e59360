"""The supervisor with real processes: all up, restarted when one dies, all down together."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

SUPERVISE = """
import os, sys
from pathlib import Path
from vivalia_continuity.processes import ManagedProcess, Supervisor

folder = Path(sys.argv[1])
parts = [
    ManagedProcess(name, (sys.executable, "-c", code, str(folder)))
    for name, code in (pair.split("=", 1) for pair in sys.argv[2:])
]
supervisor = Supervisor(
    parts,
    folder=Path.cwd(),
    environment=os.environ,
    say=lambda text: print(text, flush=True),
    first_wait=0.1,
    grace=2,
)
supervisor.run(lambda stop: print("started", flush=True))
print("stopped", flush=True)
"""
# Each leaves its process number in a file, so that the test can look for it afterwards.
SLEEP = """import os, sys, time
open(f"{sys.argv[1]}/sleeper-{os.getpid()}", "w").close()
time.sleep(60)"""
DIE_TWICE = """import os, sys, time
starts = len(os.listdir(sys.argv[1]))
open(f"{sys.argv[1]}/start-{starts}", "w").close()
if starts < 2: sys.exit(3)
time.sleep(60)"""
DEAF_WITH_CHILD = """import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
open(f"{sys.argv[1]}/deaf-{os.getpid()}", "w").close()
time.sleep(60)"""

PATIENCE_SECONDS = 20


@pytest.fixture
def supervise(tmp_path):
    """Return what starts a supervisor in its own process; end it if the test did not."""
    started: list[subprocess.Popen] = []

    def start(**parts: str) -> subprocess.Popen:
        command = [sys.executable, "-c", textwrap.dedent(SUPERVISE), str(tmp_path)]
        command += [f"{name}={code}" for name, code in parts.items()]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def wait_for(condition) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def left_by(folder: Path, name: str) -> list[int]:
    return [int(path.name.rpartition("-")[2]) for path in folder.glob(f"{name}-*")]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat")
        return not (state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z")
    except ProcessLookupError:
        return False


def test_a_part_that_dies_is_started_again_and_said_so(supervise, tmp_path):
    process = supervise(worker=DIE_TWICE)
    wait_for(lambda: len(list(tmp_path.glob("start-*"))) == 3)
    process.terminate()
    output, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert output.count("worker : arrêt inattendu (3), redémarrage dans") == 2
    assert output.endswith("stopped\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_all_parts(supervise, tmp_path, number):
    process = supervise(web=SLEEP, worker=SLEEP)
    wait_for(lambda: len(left_by(tmp_path, "sleeper")) == 2)
    process.send_signal(number)
    assert process.wait(timeout=PATIENCE_SECONDS) == 0
    assert not any(map(is_alive, left_by(tmp_path, "sleeper")))


def test_who_does_not_listen_is_killed_with_its_children(supervise, tmp_path):
    process = supervise(worker=DEAF_WITH_CHILD)
    wait_for(lambda: len(left_by(tmp_path, "deaf")) == 2)
    process.terminate()
    process.wait(timeout=PATIENCE_SECONDS)
    wait_for(lambda: not any(map(is_alive, left_by(tmp_path, "deaf"))))


@pytest.mark.faults
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_killing_the_supervisor_leaves_no_orphan(supervise, tmp_path):
    process = supervise(web=SLEEP, worker=SLEEP)
    wait_for(lambda: len(left_by(tmp_path, "sleeper")) == 2)
    process.kill()
    process.wait()
    wait_for(lambda: not any(map(is_alive, left_by(tmp_path, "sleeper"))))
