"""What every test shares. Tests run on PostgreSQL and may use the database unless they say otherwise."""

import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings

from outsourcing.celery import app as celery_app


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--scenario-dir", metavar="DIR", help="Play the business cases of this folder instead of tests/scenarios/cases."
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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test may use the database, rolled back afterwards, but for those marked `no_database`.

    By a mark and not by a fixture asked for while it runs: the test database is made for what is seen at collection.
    """
    for item in items:
        if not item.get_closest_marker("no_database") and not item.get_closest_marker("django_db"):
            item.add_marker(pytest.mark.django_db)


@pytest.fixture(autouse=True)
def _media(settings, tmp_path_factory: pytest.TempPathFactory) -> None:
    settings.MEDIA_ROOT = tmp_path_factory.getbasetemp() / "media"


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
