"""A vendor is told by mail what is ordered: each version once, with the paper and the link to answer under."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core import mail

from accounts.models import Role
from activity.models import Message
from documents import services as documents
from masterdata.models import Vendor
from subcontract_orders.printing import order_paper
from tests.documents import plans
from tests.documents.plans import moment
from tests.documents.test_api import client_of
from tests.played import played

pytestmark = pytest.mark.django_db


@played
def one_sent(**vendor: str) -> None:
    plans.base()
    Vendor.objects.filter(code="V1").update(**{"email": "orders@v1.example", **vendor})
    plans.plan("P1", "FG", 10, "2026-03-31")
    plans.generate()
    plans.send(1)


@pytest.mark.papers
def test_sending_an_order_mails_it_once_with_its_paper_and_the_link():
    one_sent()

    delivered = [documents.send_due_messages(at=moment()) for _ in range(2)]

    (sent,) = mail.outbox
    number = plans.order(1).number
    assert delivered == [1, 0]
    assert (sent.to, sent.subject) == (["orders@v1.example"], f"Subcontract order {number}")
    assert "/answer/" in sent.body or "http" in sent.body
    assert sent.alternatives[0].mimetype == "text/html"
    name, content, kind = sent.attachments[0]
    assert (name, kind, content[:5]) == (f"{number}.pdf", "application/pdf", b"%PDF-")


def test_a_vendor_without_an_address_gets_no_mail():
    one_sent(email="")

    assert documents.send_due_messages(at=moment()) == 0
    assert not Message.objects.exists()


@pytest.mark.papers
def test_an_older_version_is_never_mailed_after_a_newer_one():
    one_sent()
    documents.revise_line(order_id=plans.order(1).pk, line_no=1, quantity=Decimal(9), by=plans.boss(), at=moment())

    documents.send_due_messages(at=moment())

    newest = plans.order(1).revision
    assert [message.subject for message in mail.outbox] == [
        f"Subcontract order {plans.order(1).number}, version {newest}"
    ]
    first = Message.objects.get(revision=1)
    assert (first.next_attempt_at, first.delivered_at, first.error) == (None, None, f"Version {newest} was sent since.")


def test_an_order_cancelled_before_its_mail_left_is_not_mailed():
    one_sent()
    documents.cancel_set(order_id=plans.order(1).pk, reason="not needed", by=plans.boss(), at=moment())

    assert documents.send_due_messages(at=moment() + timedelta(minutes=1)) == 0
    assert Message.objects.get(kind="order").error.endswith("is cancelled.")
    assert Message.objects.get(kind="order_cancelled").error.startswith("V1 was never mailed")


@pytest.mark.papers
def test_a_vendor_who_was_mailed_an_order_is_told_that_it_is_cancelled():
    one_sent()
    documents.send_due_messages(at=moment())
    documents.cancel_set(order_id=plans.order(1).pk, reason="not needed", by=plans.boss(), at=moment())

    assert documents.send_due_messages(at=moment()) == 1
    assert mail.outbox[-1].subject == f"Subcontract order {plans.order(1).number} is cancelled"


@pytest.mark.papers
def test_mail_and_paper_speak_the_vendors_language():
    one_sent(language="de")

    documents.send_due_messages(at=moment())

    assert mail.outbox[0].subject == f"Lohnbestellung {plans.order(1).number}"


@pytest.mark.papers
def test_the_paper_of_an_order_is_read_over_the_api_and_drafts_are_stamped():
    plans.base()
    plans.plan("P1", "FG", 10, "2026-03-31")
    plans.generate()

    answer = client_of(Role.BUYER).get(f"/api/v1/subcontract-orders/{plans.order(1).number}/document.pdf")

    assert (answer.status_code, answer["Content-Type"], answer.content[:5]) == (200, "application/pdf", b"%PDF-")


def test_the_paper_says_what_is_asked_for(monkeypatch: pytest.MonkeyPatch):
    one_sent()
    drawn: dict[str, object] = {}
    monkeypatch.setattr("subcontract_orders.printing.as_pdf", lambda template, context: drawn.update(context) or b"")

    order_paper(order_id=plans.order(1).pk)

    line = plans.line(1)
    paper = drawn["lines"][0]  # type: ignore[index]
    assert (paper.quantity, paper.due, paper.amount) == ("10", line.promised_date, f"{line.amount:,.2f}")
    assert [part.item.code for part in drawn["components"]] == ["RM"]  # type: ignore[attr-defined]


def test_a_vendor_is_reminded_in_his_language_of_what_he_still_owes():
    one_sent(language="de")
    Message.objects.all().delete()
    order = plans.order(1)

    documents.remind_vendors(order_ids=[order.pk], by=plans.boss(), at=moment())
    documents.send_due_messages(at=moment())

    (sent,) = mail.outbox
    assert sent.subject == f"Erinnerung: Lohnbestellung {order.number}"
    assert f"Unsere Bestellung {order.number} ist noch nicht beantwortet." in sent.body
    assert "10 pcs FG" in sent.body
    assert "/v/" in sent.body
    assert f"Unsere Bestellung {order.number} ist noch nicht beantwortet." in sent.alternatives[0].content


def test_nobody_is_reminded_of_what_has_come_meanwhile():
    one_sent()
    Message.objects.all().delete()
    order = plans.order(1)
    documents.remind_vendors(order_ids=[order.pk], by=plans.boss(), at=moment())

    documents.close_set(order_id=order.pk, leftovers="keep", by=plans.boss(), at=moment())

    documents.send_due_messages(at=moment())
    assert mail.outbox == []
