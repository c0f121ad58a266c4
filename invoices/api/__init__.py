"""Vendor invoices over HTTP: entered, matched, let pass, disputed, approved, exported; credit notes, charge-backs, reports."""

from invoices.api.charging_back import ChargeBackViewSet, ChargingReceiptViewSet
from invoices.api.exporting import PaymentExportViewSet
from invoices.api.invoices import CreditNoteViewSet, InvoiceViewSet
from invoices.api.reports import NotInvoicedViewSet, PriceVarianceViewSet

ROUTES = [
    ("invoices", InvoiceViewSet),
    ("credit-notes", CreditNoteViewSet),
    ("charge-backs", ChargeBackViewSet),
    ("payment-exports", PaymentExportViewSet),
    ("receipts", ChargingReceiptViewSet),
    ("reports/received-not-invoiced", NotInvoicedViewSet),
    ("reports/price-variance", PriceVarianceViewSet),
]
