"""Every check and test, as CI runs them: `./dev test`. With --fast only what is done within a minute."""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("models", "rules", "services", "tasks", "printing")
BIN = Path(sys.executable).parent


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fast", action="store_true", help="lint and the tests not marked slow")
    fast = parser.parse_args().fast
    if "OUTWORK_HOME" not in os.environ:
        # Servers apart from those of a running ./dev run, so that neither sees the other's rows and messages; and rows that
        # live as long as a test need not wait for the disk. Nor may a vacuum find the tables empty between two tests: they
        # would count as empty from then on, and what the next test fills them with be looked for row by row.
        os.environ["OUTWORK_HOME"] = str(ROOT / "var" / "test")
        os.environ["OUTWORK_POSTGRES_SETTINGS"] = "fsync=off synchronous_commit=off full_page_writes=off autovacuum=off"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "outsourcing.settings")
    failed = [name for name, command in steps(fast).items() if not passes(name, command)]
    subprocess.run([sys.executable, "-m", "outsourcing.servers", "stop"], check=False, stdout=subprocess.DEVNULL)
    print(f"FAILED: {', '.join(failed)}" if failed else "All checks passed.", flush=True)
    return 1 if failed else 0


def steps(fast: bool) -> dict[str, list[str]]:
    pytest = [str(BIN / "pytest"), "-n", "2", "--dist", "worksteal", "-q", "-rs"]  # what is skipped is said, and why
    lint = {
        "format": [str(BIN / "ruff"), "format", "--check", "."],
        "lint": [str(BIN / "ruff"), "check", "."],
        "imports": [str(BIN / "lint-imports"), "--no-logo"],
    }
    if fast:
        # Tests that play whole document sets take longer than all the rest; they have their turn in the whole run.
        return lint | {"tests": [*pytest, "-m", "not slow and not browser", "-p", "no:schemathesis"]}
    return lint | {
        "types": [str(BIN / "mypy"), *typed_files()],
        "migrations": [sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"],
        "tests": [*pytest, "--durations", "20"],
    }


def typed_files() -> list[str]:
    """The rooms that decide and write, in every app, plus the servers."""
    files = [path for room in ROOMS for pattern in (f"*/{room}.py", f"*/{room}/*.py") for path in ROOT.glob(pattern)]
    return [str(path.relative_to(ROOT)) for path in sorted([*files, ROOT / "outsourcing/servers.py"])]


def passes(name: str, command: list[str]) -> bool:
    began = time.monotonic()
    print(f"── {name}", flush=True)
    passed = subprocess.run(command, cwd=ROOT, check=False).returncode == 0
    print(f"── {name}: {'ok' if passed else 'FAILED'} in {time.monotonic() - began:.1f} s\n", flush=True)
    return passed


if __name__ == "__main__":
    sys.exit(main())
