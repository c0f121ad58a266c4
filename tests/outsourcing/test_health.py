"""What /healthz says of each part."""

import json

import pytest

from outsourcing import health


@pytest.fixture
def all_answer(monkeypatch):
    for part in ("_database", "_broker", "_worker", "_beat"):
        monkeypatch.setattr(health, part, lambda: True)


def test_health_is_200_when_every_part_answers(client, all_answer):
    response = client.get("/healthz")

    assert response.status_code == 200
    assert response.json() == {"status": "ok", "database": "ok", "broker": "ok", "worker": "ok", "beat": "ok"}


@pytest.mark.parametrize("part", ["database", "worker", "beat"])
def test_health_is_503_and_names_the_part_that_does_not_answer(client, all_answer, monkeypatch, part):
    monkeypatch.setattr(health, f"_{part}", lambda: False)

    response = client.get("/healthz")

    assert response.status_code == 503
    assert response.json() == {"status": "down", "database": "ok", "broker": "ok", "worker": "ok", "beat": "ok"} | {
        part: "down"
    }


def test_without_a_broker_worker_and_beat_cannot_be_asked(client, all_answer, monkeypatch):
    def refuses() -> bool:
        raise OSError("connection refused")

    monkeypatch.setattr(health, "_broker", refuses)

    response = client.get("/healthz")

    assert response.status_code == 503
    assert json.loads(response.content) == {
        "status": "down", "database": "ok", "broker": "down", "worker": "unknown", "beat": "unknown",
    }  # fmt: skip


def test_the_database_is_really_asked(client):
    assert health._database() is True


def test_health_needs_no_sign_in_and_takes_no_post(client, all_answer):
    assert client.post("/healthz").status_code == 405
