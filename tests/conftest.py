"""What every test shares. Tests run on PostgreSQL and may use the database unless they say otherwise."""

import functools
import gc
import hashlib
import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql.operations import DatabaseOperations
from django.db.models.signals import post_migrate
from django.utils import translation

from outsourcing.celery import app as celery_app
from tests import played

ROOT = Path(__file__).resolve().parent.parent
SETS = {
    "tests.documents.plans", "tests.invoices.bills", "tests.receipts.back", "tests.receipts.goods", "tests.scenarios.runner",
    "tests.shipments.goods", "tests.workbench.goods",
}  # fmt: skip
"""Helpers that play whole document sets: whoever uses one takes a second or so for each test."""
WHOLE_PLANS = {
    "core/test_database.py", "documents/test_any_plan.py", "documents/test_api.py", "documents/test_retiring.py",
    "interchange/test_elsewhere.py", "interchange/test_files.py", "interchange/test_folders.py", "interchange/test_fuzz.py",
    "interchange/test_nightly.py", "interchange/test_profiles.py", "interchange/test_seen.py", "outsourcing/test_demo.py",
    "outsourcing/test_planning_pages.py", "outsourcing/test_schema.py", "policies/test_admin.py",
    "policies/test_rules_properties.py", "production/test_schedule.py", "scenarios/test_vocabulary.py", "test_language.py",
    "workbench/test_answers.py", "workbench/test_first_steps.py", "workbench/test_lists.py", "workbench/test_orders.py",
    "workbench/test_said_in_code.py", "workbench/test_worklist.py",
}  # fmt: skip
"""Files whose tests read whole plans, all cases, all the code or large files, make up many, make a database, or open the largest
pages.
"""


flush = DatabaseOperations.sql_flush
PAPERS_MISSING = "no papers: install libpango-1.0-0 libpangoft2-1.0-0 (Debian, Ubuntu)"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--scenario-dir", metavar="DIR", help="Play the business cases of this folder instead of tests/scenarios/cases."
    )
    parser.addoption(
        "--drill-rounds",
        metavar="N",
        type=int,
        default=1,
        help="How often each drill is gone through. 25 is the long form.",
    )
    parser.addoption(
        "--drill-servers",
        action="store_true",
        help="Also drill with real servers that are stopped hard; takes minutes.",
    )
    parser.addoption(
        "--every-page", action="store_true", help="Try every single page for everybody's use, not one of each kind."
    )


def pytest_configure() -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.MIDDLEWARE = [
        name for name in settings.MIDDLEWARE if not name.startswith("whitenoise")
    ]  # nothing collected
    # Tests run side by side and must not meet: no shared cache, and no message to a worker that knows other rows.
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    celery_app.conf.update(broker_url="memory://", broker_read_url="memory://", broker_write_url="memory://")

    DatabaseOperations.sql_flush = sql_flush


def sql_flush(
    operations: DatabaseOperations, style: object, tables: list[str], *, reset_sequences: bool = False, **_: object
) -> list[str]:
    """What empties the database after a test that committed: only tables that hold rows are emptied, as truncating a hundred and
    more takes longer than most tests. Triggers and keys, which would refuse it, are not asked: that takes the tests' own server.
    """
    if reset_sequences or not _may_go_round_keys():
        return flush(operations, style, tables, reset_sequences=reset_sequences, **_)
    filled = [f'DELETE FROM "{table}"' for table in played.filled_tables()]
    return ["SET LOCAL session_replication_role = replica", *filled]


@functools.cache
def _may_go_round_keys() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        return bool(cursor.fetchone()[0])


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test may use the database, rolled back afterwards, but for those marked `no_database`. Those that play whole document
    sets or read whole plans are slow: together they take longer than all the rest.

    By a mark and not by a fixture asked for while it runs: the test database is made for what is seen at collection.
    """
    if items and not items[0].config.getoption("drill_servers"):
        items[:] = [item for item in items if not item.get_closest_marker("servers")]
    for item in items:
        if not item.get_closest_marker("no_database") and not item.get_closest_marker("django_db"):
            item.add_marker(pytest.mark.django_db)
        if _takes_long(item):
            item.add_marker(pytest.mark.slow)


def pytest_collection_finish() -> None:
    """All modules stay now: looking for circles of objects among them took an eighth of a run's time."""
    gc.collect()
    gc.freeze()


def _takes_long(item: pytest.Item) -> bool:
    if item.path.is_relative_to(ROOT / "tests") and str(item.path.relative_to(ROOT / "tests")) in WHOLE_PLANS:
        return True
    used = vars(item.module).values() if isinstance(item, pytest.Function) else ()
    return any(getattr(one, "__name__", "") in SETS or getattr(one, "__module__", "") in SETS for one in used)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix, django_db_blocker) -> None:
    """The test database of every worker is a copy of one that was migrated once and stays until a migration changes."""
    with django_db_blocker.unblock():
        connection.settings_dict["TEST"]["TEMPLATE"] = _migrated_once()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker) -> Iterator[None]:
    """A thread of the live server may still hold its connection when all is over; it must not keep the database from going."""
    with django_db_blocker.unblock():
        if _may_go_round_keys():  # then content types and permissions stay, and need not be made anew after each test
            post_migrate.receivers.clear()
            post_migrate.sender_receivers_cache.clear()
    yield
    with django_db_blocker.unblock():
        end_connections(connection)


def end_connections(to: BaseDatabaseWrapper) -> None:
    """End every connection to this one's database, from outside: this one itself may be dead, or be one of several."""
    to.close()
    with to._nodb_cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [to.settings_dict["NAME"]]
        )


def _migrated_once() -> str:
    migrations = sorted(ROOT.glob("*/migrations/*.py"))
    told = b"".join(path.name.encode() + path.read_bytes() for path in [*migrations, ROOT / "requirements.txt"])
    prefix, own = "outwork_tests_", connection.settings_dict["NAME"]
    name = prefix + hashlib.sha256(told).hexdigest()[:16]
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext(%s))", [prefix])  # let go of with the connection
        cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [prefix])
        there = {row[0] for row in cursor.fetchall()}
        if name in there:
            return name
        for outdated in there:
            cursor.execute(f'DROP DATABASE "{outdated}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{prefix}new"')
        connection.close()
        connection.settings_dict["NAME"] = f"{prefix}new"
        try:
            call_command("migrate", verbosity=0)
        finally:
            connection.close()
            connection.settings_dict["NAME"] = own
        cursor.execute(f'ALTER DATABASE "{prefix}new" RENAME TO "{name}"')
    return name


@pytest.fixture(scope="session", autouse=True)
def _played_together(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What one process of the run played, the others put back."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        played.shared = tmp_path_factory.getbasetemp().parent / "played"


@pytest.fixture(autouse=True)
def _papers(request: pytest.FixtureRequest) -> None:
    """Tests of papers set them with Pango; on a machine without it they are skipped and say what to install."""
    if request.node.get_closest_marker("papers") and not _sets_papers():
        pytest.skip(PAPERS_MISSING)


@functools.cache
def _sets_papers() -> bool:
    try:
        import weasyprint  # noqa: F401
    except OSError:
        return False
    return True


@pytest.fixture(autouse=True)
def _media(settings, tmp_path_factory: pytest.TempPathFactory) -> None:
    settings.MEDIA_ROOT = tmp_path_factory.getbasetemp() / "media"


@pytest.fixture(autouse=True)
def _language() -> Iterator[None]:
    """A request leaves its reader's language behind in the thread: the next test begins in the project's own."""
    yield
    translation.deactivate()


@pytest.fixture
def at() -> datetime:
    """The instant at which a test's actions happen."""
    return datetime(2026, 6, 1, 8, 0, tzinfo=UTC)


@pytest.fixture
def private_home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of its own for embedded servers. Not below pytest's folder, which a service account may not pass."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)
    with tempfile.TemporaryDirectory(prefix="outwork-test-") as folder:
        os.chmod(folder, 0o755)
        yield Path(folder) / "home"
