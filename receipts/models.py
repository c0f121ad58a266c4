"""What is expected back from vendors. The receipts themselves come with the inbound side."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q

from core.scope import HasScope


class ExpectedReceiptQuerySet(models.QuerySet["ExpectedReceipt"]):
    def open(self) -> Self:
        return self.filter(quantity__gt=0)

    def visible_to(self, user: HasScope) -> Self:
        return self.filter(user.scope.rows(site="order_line__order__site_id", vendor="order_line__order__vendor_id"))


class ExpectedReceipt(models.Model):
    """What is still expected of one order line: good pieces and all, by when, where. One row a line, quantity 0 when done."""

    order_line = models.OneToOneField("subcontract_orders.OrderLine", models.CASCADE, related_name="+")
    item = models.ForeignKey("masterdata.Item", models.PROTECT, related_name="+")
    quantity = models.DecimalField(max_digits=18, decimal_places=5)
    expected_on = models.DateField()
    location = models.ForeignKey("masterdata.Location", models.PROTECT, related_name="+")

    objects = ExpectedReceiptQuerySet.as_manager()

    class Meta:
        permissions = [("change_receipt", "Can post receipts"), ("inspect_receipt", "Can inspect receipts")]
        constraints = [models.CheckConstraint(condition=Q(quantity__gte=0), name="expected_receipt_not_negative")]
        indexes = [models.Index(fields=["expected_on", "id"], name="expected_receipt_open", condition=Q(quantity__gt=0))]

    def __str__(self) -> str:
        return f"{self.order_line_id}"
