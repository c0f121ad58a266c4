"""Drawings and other files go with an order as they were when it was sent."""

from __future__ import annotations

from io import BytesIO

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from activity.models import Alert
from core.refusals import InvalidInput, NotFound
from documents import services as documents
from masterdata import services as masterdata
from masterdata.models import Specification, SpecificationFile
from masterdata.services import TooManyFiles
from subcontract_orders import services as orders
from tests.documents import plans
from tests.documents.plans import line, order, send


@pytest.fixture(autouse=True)
def told() -> Specification:
    plans.base(specifications=[{"item": "", "process": "Plating", "text": "8 µm"}])
    return Specification.objects.get()


def attach(specification: Specification, content: bytes = b"one", name: str = "hub.pdf") -> SpecificationFile:
    return masterdata.attach_file(
        specification_id=specification.pk, name=name, content=BytesIO(content), at=plans.moment()
    )


def names(number: int = 1) -> list[str]:
    return [file.name for file in orders.files_of(order(number))]


def content(number: int = 1) -> bytes:
    (file,) = orders.files_of(order(number))
    with file.open() as opened:
        return opened.read()


def test_a_line_is_sent_with_the_files_of_its_specification_and_keeps_them(told):
    attach(told)
    plans.plan("P1", "FG", 5, "2026-04-15")
    plans.generate()
    attach(told, b"two")
    send(1)
    attach(told, b"three")
    masterdata.remove_file(specification_id=told.pk, name="hub.pdf", at=plans.moment())

    assert names() == ["hub.pdf"]
    assert content() == b"two"
    assert order(1).revisions.get().content["lines"][0]["specification_files"][0]["name"] == "hub.pdf"


def test_another_content_is_asked_about_and_told_in_a_revision(told):
    attach(told, b"one")
    plans.plan("P1", "FG", 5, "2026-04-15")
    plans.generate()
    send(1)
    attach(told, b"two")
    plans.generate()

    found = Alert.objects.open().get(kind="requirement_changed")
    assert set(found.after) == {"specification_files"}
    assert found.before["specification_files"] != found.after["specification_files"]
    documents.apply_alert(alert_id=found.pk, by=plans.boss(), at=plans.moment())
    assert content() == b"two"
    assert order(1).revision == 2


@pytest.mark.parametrize(
    ("name", "given"),
    [("run.html", b"<script>"), ("run.svg", b"<svg/>"), ("plan.pdf", b""), ("noending", b"x")],
)
def test_what_a_browser_would_run_and_what_is_empty_is_refused(told, name, given):
    with pytest.raises(InvalidInput) as refused:
        attach(told, given, name)
    assert refused.value.field == "file"
    assert not SpecificationFile.objects.exists()


def test_a_name_leads_nowhere_else(told):
    assert attach(told, name="../../etc/pass wd.pdf").name == "pass_wd.pdf"
    assert attach(told, name="C:\\drawings\\hub.pdf").name == "hub.pdf"


def test_the_same_content_is_kept_once_and_above_twenty_megabytes_nothing(told, monkeypatch):
    first, second = attach(told, name="a.pdf"), attach(told, name="b.pdf")

    assert first.path == second.path
    monkeypatch.setattr("masterdata.services.specifications.MOST_BYTES", 10)
    with pytest.raises(InvalidInput):
        attach(told, b"x" * 11, "c.pdf")


def test_a_specification_has_so_many_files_and_no_more(told, monkeypatch):
    monkeypatch.setattr("masterdata.services.specifications.MOST_FILES", 1)
    attach(told)
    attach(told, b"again")

    with pytest.raises(TooManyFiles):
        attach(told, name="other.pdf")
    with pytest.raises(NotFound):
        masterdata.remove_file(specification_id=told.pk, name="other.pdf", at=plans.moment())


def test_a_lost_content_is_said_and_no_failure(told):
    attach(told)
    plans.plan("P1", "FG", 5, "2026-04-15")
    plans.generate()
    (file,) = orders.files_of(order(1))
    default_storage.delete(file.path)

    with pytest.raises(NotFound, match="not in the storage"):
        file.open()
    with pytest.raises(NotFound):
        orders.named_file([file], "0" * 64)


def test_over_the_api_a_file_is_attached_read_with_the_order_and_taken_off(told, client):
    client.force_login(plans.boss())
    here = f"/api/v1/specifications/{told.reference}/"
    given = BytesIO(b"drawn")
    given.name = "hub.pdf"

    answer = client.post(f"{here}files/", {"file": given})

    assert answer.status_code == 201, answer.content
    (file,) = client.get(here).json()["files"]
    assert (file["name"], file["size"]) == ("hub.pdf", 5)
    plans.plan("P1", "FG", 5, "2026-04-15")
    plans.generate()
    (shown,) = client.get("/api/v1/subcontract-orders/SC-00001/").json()["lines"][0]["specification_files"]
    read = client.get(f"/api/v1/subcontract-orders/SC-00001/files/{shown['sha256']}/")
    assert (read.status_code, b"".join(read.streaming_content)) == (200, b"drawn")
    assert client.get(f"/api/v1/subcontract-orders/SC-00001/files/{'0' * 64}/").status_code == 404
    assert client.delete(f"{here}files/hub.pdf/").status_code == 204
    assert client.delete(f"{here}files/hub.pdf/").status_code == 404
    assert line(1).specification == "8 µm"


def test_the_order_page_and_the_vendors_page_lead_to_the_file(told, client):
    attach(told, b"drawn")
    plans.plan("P1", "FG", 5, "2026-04-15")
    plans.generate()
    send(1)
    (file,) = orders.files_of(order(1))
    client.force_login(plans.boss())

    assert file.sha256 in client.get("/orders/SC-00001/").content.decode()
    assert b"".join(client.get(f"/orders/SC-00001/files/{file.sha256}/").streaming_content) == b"drawn"
    client.logout()
    assert client.get(f"/orders/SC-00001/files/{file.sha256}/").status_code == 302
    here = "/" + orders.vendor_link(order=order(1), at=timezone.now()).split("/", 3)[3]
    page = client.get(here)
    assert page.status_code == 200
    assert "8 µm" in page.content.decode()
    assert b"".join(client.get(f"{here}files/{file.sha256}/").streaming_content) == b"drawn"
    assert client.get(f"{here}files/{'0' * 64}/").status_code == 404
