"""Alerts and events in JSON."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from activity.models import Alert, Event
from core.requests import StrictFields


class AlertSerializer(serializers.ModelSerializer[Alert]):
    """A thing a person should look at: what was, what is proposed, and who looks after it."""

    order = serializers.CharField(source="order_number")
    line = serializers.IntegerField(source="line_no", allow_null=True)
    operation = serializers.CharField(source="operation_no")
    site = serializers.CharField(source="site.code", default=None, allow_null=True)
    vendor = serializers.CharField(source="vendor.code", default=None, allow_null=True)
    before = serializers.JSONField()
    after = serializers.JSONField()
    taken_by = serializers.CharField(source="taken_by.username", default=None, allow_null=True)
    responsible = serializers.CharField(source="responsible.username", default=None, allow_null=True)
    refused_by = serializers.CharField(source="refused_by.username", default=None, allow_null=True)
    due = serializers.DateField(source="due_date", allow_null=True)

    class Meta:
        model = Alert
        fields = [
            "reference", "kind", "severity", "title", "order", "line", "production_order", "operation", "site", "vendor",
            "before", "after", "proposes", "opened_at", "updated_at", "closed_at", "taken_by", "taken_at", "due",
            "responsible", "act_by", "escalated_at", "snoozed_until", "refused_at", "refused_by", "refusal",
        ]  # fmt: skip
        read_only_fields = fields


class SnoozeSerializer(StrictFields, serializers.Serializer[Any]):
    """Until when an alert is put off."""

    until = serializers.DateTimeField()


class EventSerializer(serializers.ModelSerializer[Event]):
    """Something that happened to a document."""

    by = serializers.CharField(source="by.username", default=None, allow_null=True)
    data = serializers.JSONField()

    class Meta:
        model = Event
        fields = ["name", "at", "by", "through", "data"]
        read_only_fields = fields


class FedEventSerializer(EventSerializer):
    """An event as other systems follow it: what happened to which document, whose it is, and what it tells of it."""

    id = serializers.IntegerField(source="pk", help_text="Its own number; not the order in which events are told.")
    site = serializers.CharField(source="site.code", default=None, allow_null=True)
    vendor = serializers.CharField(source="vendor.code", default=None, allow_null=True)

    class Meta(EventSerializer.Meta):
        fields = [
            "id", "name", "document_kind", "document_number", "at", "by", "through", "site", "vendor", "data",
        ]  # fmt: skip
        read_only_fields = fields
