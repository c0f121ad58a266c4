"""`./dev run`: everything comes up, says so, and nothing of it stays behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from outsourcing import servers
from outsourcing.management.commands.serve import leave

pytestmark = [pytest.mark.no_database, pytest.mark.slow]
MANAGE = str(settings.BASE_DIR / "manage.py")


@pytest.fixture
def home(private_home: Path) -> Iterator[Path]:
    yield private_home
    servers.stop(private_home)


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def serve(home: Path, port: int) -> subprocess.Popen[str]:
    command = [sys.executable, MANAGE, "serve", "--empty", "--port", str(port)]
    return subprocess.Popen(
        command,
        env=os.environ | {"OUTWORK_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_command_on_an_empty_database_says_what_makes_its_tables(home):
    command = [sys.executable, MANAGE, "generate"]
    done = subprocess.run(command, env=os.environ | {"OUTWORK_HOME": str(home)}, capture_output=True, text=True)

    assert done.returncode == 1
    assert (
        done.stderr.strip()
        == "The database has no tables yet: ./dev manage migrate makes them, and ./dev run by itself."
    )


def wait_until_ready(run: subprocess.Popen[str], port: int) -> None:
    said = []
    for line in run.stdout:
        said.append(line)
        if line == f"Ready: http://localhost:{port}\n":
            return
    pytest.fail("".join(said))


def left_behind(home: Path) -> list[str]:
    """Processes that have this home in their environment or command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                text = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if str(home).encode() in text:
                found.append((entry / "cmdline").read_text())
    return found


def test_after_a_kill_the_next_run_is_ready_with_all_its_parts_and_its_end_leaves_nothing(home, port):
    with serve(home, port) as killed:
        wait_until_ready(killed, port)
        killed.kill()  # its parts end by themselves and let go of the port

    with serve(home, port) as run:
        wait_until_ready(run, port)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz") as answer:
            states = json.loads(answer.read())
        run.send_signal(signal.SIGTERM)
        assert run.wait(timeout=30) == 128 + signal.SIGTERM

    assert states == {"status": "ok", "database": "ok", "broker": "ok", "worker": "ok", "beat": "ok"}
    end = time.monotonic() + 10
    while left_behind(home) and time.monotonic() < end:
        time.sleep(0.1)
    assert left_behind(home) == []


def test_ctrl_c_is_no_failure_and_a_request_to_end_is_told_as_one():
    with pytest.raises(SystemExit) as asked:
        leave(signal.SIGINT, None)
    with pytest.raises(SystemExit) as told:
        leave(signal.SIGTERM, None)

    assert (asked.value.code, told.value.code) == (0, 143)


def test_a_port_in_use_is_said_in_words(home):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with serve(home, port) as run:
            said = run.communicate(timeout=60)[0]

    assert run.returncode == 1
    assert f"Port {port} on 127.0.0.1: Address already in use. Try another with --port." in said
