"""`./dev run`: everything on one machine, for trying and developing. Production runs the same parts by its own means."""

import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser, call_command, get_commands
from django.db import connections

from outsourcing import servers

PATIENCE = 120  # seconds until web, worker and beat must have answered
GRACE = 10  # seconds a child gets to finish when told to stop
PR_SET_PDEATHSIG = 1


class Command(BaseCommand):
    help = "Migrate, start web server, worker and beat, load the demo plan and run the main job. Ctrl-C stops it all."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--data", help="a plan: the name of one that comes with Outwork, or a folder")
        parser.add_argument("--empty", action="store_true", help="load no plan")

    def handle(self, *args: Any, port: int, host: str, data: str | None, empty: bool, **options: Any) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, leave)
        children: dict[str, subprocess.Popen[bytes]] = {}
        if not empty:
            os.environ["DEMO_USERS"] = "1"
        try:
            _wait_for_port(host, port)
            with _alone("setup"):
                call_command("migrate", interactive=False, verbosity=0)
            logs = settings.OUTWORK_HOME / "log"
            logs.mkdir(exist_ok=True)
            for name, command in _commands(host, port).items():
                children[name] = _start(command, logs / f"{name}-{port}.log")
            self._wait_until_healthy(f"http://{host}:{port}/healthz", children, logs, port)
            if not empty and "demo" in get_commands():
                with _alone("setup"):
                    call_command("demo", **({"data": data} if data else {"month": True}))
            connections.close_all()
            self.stdout.write(f"Logs: {logs}")
            self.stdout.write(f"Ready: http://localhost:{port}")
            self.stdout.flush()
            while True:
                _all_run(children, logs, port)
                servers.keep_up()
                time.sleep(1)
        finally:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not leave half of it running
            _stop(children.values())
            connections.close_all()
            servers.stop(settings.OUTWORK_HOME)

    def _wait_until_healthy(
        self, url: str, children: dict[str, subprocess.Popen[bytes]], logs: Path, port: int
    ) -> None:
        end, answer = time.monotonic() + PATIENCE, "no answer"
        while time.monotonic() < end:
            _all_run(children, logs, port)
            try:
                with urllib.request.urlopen(url, timeout=10):  # noqa: S310  (our own address)
                    return
            except urllib.error.HTTPError as problem:
                answer = problem.read().decode(errors="replace")[:500]
            except OSError as problem:
                answer = str(problem)
            time.sleep(0.2)
        raise CommandError(f"{url} is not well after {PATIENCE} seconds: {answer}. See {logs}.")


def _commands(host: str, port: int) -> dict[str, list[str]]:
    home, python = settings.OUTWORK_HOME, [sys.executable, "-m"]
    celery = [*python, "celery", "-A", "outsourcing"]
    return {
        "web": [
            *[*python, "gunicorn", "outsourcing.wsgi", f"--bind={host}:{port}", "--no-control-socket"],
            *["--worker-class=gthread", "--workers=2", "--threads=4", "--timeout=120", "--graceful-timeout=5"],
        ],
        "worker": [*celery, "worker", f"--hostname=worker-{port}@%h", "--concurrency=2", "--loglevel=INFO"],
        "beat": [*celery, "beat", f"--hostname=celerybeat@{port}.%h", f"--schedule={home / f'beat-{port}'}"],
    }


def _start(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    """A child in a session of its own (Ctrl-C is ours to pass on) that is told to stop when we die, however we die."""
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def tie_to_parent() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    with log.open("wb") as output:
        return subprocess.Popen(
            command,
            cwd=settings.BASE_DIR,
            env=os.environ | {"STATIC_FROM_SOURCE": "1"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=tie_to_parent,
        )


def _all_run(children: dict[str, subprocess.Popen[bytes]], logs: Path, port: int) -> None:
    for name, child in children.items():
        if child.poll() is not None:
            log = logs / f"{name}-{port}.log"
            last = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
            raise CommandError(f"The {name} process ended by itself ({child.returncode}):\n{last}\nAll of it: {log}")


def _stop(children: Any) -> None:
    for child in children:
        if child.poll() is None:
            child.terminate()
    end = time.monotonic() + GRACE
    for child in children:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(max(0.0, end - time.monotonic()))
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)  # its session: whatever did not end, and whatever it left behind
        child.wait()


def leave(number: int, frame: object) -> NoReturn:
    raise SystemExit(0 if number == signal.SIGINT else 128 + number)


def _wait_for_port(host: str, port: int) -> None:
    """Another program on the port is said at once; the web server of a killed run lets go of it within seconds."""
    end = time.monotonic() + GRACE
    while True:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as problem:
                if time.monotonic() > end:
                    raise CommandError(f"Port {port} on {host}: {problem.strerror}. Try another with --port.") from None
            else:
                return
        time.sleep(0.2)


@contextlib.contextmanager
def _alone(what: str) -> Iterator[None]:
    """Two runs over the same data take turns with the set-up."""
    with (settings.OUTWORK_HOME / f".{what}").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
