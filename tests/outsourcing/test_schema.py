import re

import pytest
import yaml
from django.core.management import call_command
from django.test import Client
from django.urls import get_resolver
from rest_framework.permissions import IsAuthenticated

from core.idempotency import Repeatable
from core.requests import Rights, needed_right
from outsourcing.urls import resources


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """Warnings are errors here: every call is described whole."""
    file = tmp_path_factory.mktemp("schema") / "schema.yml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(file))
    return yaml.safe_load(file.read_text())


@pytest.mark.no_database
def test_the_document_is_openapi_31_and_valid(schema: dict):
    assert schema["openapi"] == "3.1.0"
    assert {"type": "http", "scheme": "bearer"}.items() <= schema["components"]["securitySchemes"]["token"].items()


@pytest.mark.no_database
def test_every_resource_of_the_api_is_described(schema: dict):
    paths = set(schema["paths"])

    for resource in ("items", "item-groups", "units", "vendors", "sites", "locations", "work-centers", "processes", "calendars",
                     "exchange-rates", "price-agreements", "vendor-approvals", "production-orders", "policies", "decisions",
                     "generation-runs", "subcontract-orders", "shipments", "expected-receipts", "stock", "stock-movements",
                     "alerts"):  # fmt: skip
        assert f"/api/v1/{resource}/" in paths
    assert "/api/v1/production-orders/{number}/operations/{operation_no}/outsource/" in paths


@pytest.mark.no_database
def test_every_call_says_how_it_refuses_and_how_it_is_repeated(schema: dict):
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            assert "default" in operation["responses"], path
            headers = {found["name"] for found in operation.get("parameters", []) if found["in"] == "header"}
            assert ("Idempotency-Key" in headers) == (method == "post"), path


@pytest.mark.no_database
def test_every_post_may_be_repeated_and_every_call_needs_a_right():
    for pattern in resources():
        viewset, actions = pattern.callback.cls, pattern.callback.actions
        assert list(viewset.permission_classes) == [IsAuthenticated, Rights], viewset
        if "post" in actions:
            assert issubclass(viewset, Repeatable), viewset
        for method, action in actions.items():
            view = viewset(action=action, action_map=actions)
            assert re.fullmatch(r"\w+\.\w+", needed_right(view, method=method.upper()) or ""), (viewset, action)


@pytest.mark.no_database
def test_no_address_of_the_api_is_beside_the_collected_resources():
    api = next(found for found in get_resolver().url_patterns if str(found.pattern) == "api/v1/")
    assert len(api.url_patterns) == len(resources())


def test_the_page_of_the_api_runs_under_its_policy(client: Client):
    page = client.get("/api/docs/")
    script = client.get("/api/docs/?script=")

    assert page.status_code == script.status_code == 200
    policy = page["Content-Security-Policy"]
    assert "style-src 'self' 'unsafe-inline'" in policy
    assert "script-src 'self';" in policy + ";"
    assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>\s*\S", page.content.decode())
    assert "http" not in "".join(re.findall(r'(?:src|href)="([^"]+)"', page.content.decode()))
