"""What follows from state by itself: open prices, held invoices."""

from activity.models import Alert
from invoices import services as invoices
from subcontract_orders.models import OrderLine
from tests.documents.plans import moment
from tests.invoices.bills import asked, enter, match
from tests.receipts.goods import LATER, at_vendor, counted, receive


def watch() -> list[tuple[str, str, str]]:
    invoices.watch_invoices(at=moment(LATER), on=LATER)
    return list(Alert.objects.open().filter(kind__in=["price_open", "invoice_held"]).order_by("kind").values_list(
        "kind", "subject", "severity"))  # fmt: skip


def test_a_price_still_open_is_said_sharper_once_goods_are_here_and_no_more_once_it_is_set():
    line = at_vendor()
    OrderLine.objects.filter(pk=line.pk).update(is_price_open=True)
    assert watch() == [("price_open", "SC-00001/1", "info")]

    receive(counted(line, 4))
    assert watch() == watch() == [("price_open", "SC-00001/1", "warning")]

    OrderLine.objects.filter(pk=line.pk).update(is_price_open=False)
    assert watch() == []


def test_a_held_invoice_is_said_again_where_its_alert_was_lost():
    line = at_vendor()
    receive(counted(line, 4))
    invoice = match(enter(asked(line, 9, 100)))
    Alert.objects.all().update(closed_at=moment(LATER))

    assert watch() == [("invoice_held", invoice.number, "warning")]
