"""Alerts and events in JSON."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from activity.models import Alert, Event, WebhookDelivery, WebhookEndpoint
from core.requests import RowSerializer, StrictFields


class AlertSerializer(RowSerializer[Alert]):
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


class EventSerializer(RowSerializer[Event]):
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


class WebhookEndpointSerializer(RowSerializer[WebhookEndpoint]):
    """Where another system is told of events, and how far that is."""

    owner = serializers.CharField(source="owner.username", help_text="What he may see is told.")
    events = serializers.ListField(child=serializers.CharField())
    active = serializers.BooleanField(source="is_active")
    waiting = serializers.IntegerField(help_text="Deliveries still to be made, or tried again.")
    failed = serializers.IntegerField(help_text="Deliveries that rest with an error.")

    class Meta:
        model = WebhookEndpoint
        fields = ["code", "url", "events", "owner", "active", "created_at", "waiting", "failed"]
        read_only_fields = fields


class NewSecretSerializer(serializers.Serializer[WebhookEndpoint]):
    """The secret what is sent is signed with: shown now and never again."""

    code = serializers.CharField(read_only=True)
    secret = serializers.CharField(read_only=True)


class AddWebhookEndpointSerializer(StrictFields, serializers.Serializer[Any]):
    """A new endpoint."""

    code = serializers.CharField(max_length=60)
    url = serializers.CharField(max_length=500)
    events = serializers.ListField(
        child=serializers.CharField(max_length=60), default=list, max_length=100,
        help_text="order.approved, or order.* for all of a kind; empty: everything.",
    )  # fmt: skip


class ChangeWebhookEndpointSerializer(StrictFields, serializers.Serializer[Any]):
    """What of an endpoint changes."""

    url = serializers.CharField(max_length=500, required=False)
    events = serializers.ListField(child=serializers.CharField(max_length=60), required=False, max_length=100)
    active = serializers.BooleanField(source="is_active", required=False)


class ReplaySerializer(StrictFields, serializers.Serializer[Any]):
    """What is told again: what happened since a time, or what failed."""

    since = serializers.DateTimeField(default=None, allow_null=True)
    failed = serializers.BooleanField(default=False)


class ReplayedSerializer(serializers.Serializer[Any]):
    """How many deliveries are made again."""

    deliveries = serializers.IntegerField()


class WebhookDeliverySerializer(RowSerializer[WebhookDelivery]):
    """One event an endpoint is told."""

    event = serializers.IntegerField(source="event_id")
    name = serializers.CharField(source="event.name")
    document_number = serializers.CharField(source="event.document_number")

    class Meta:
        model = WebhookDelivery
        fields = [
            "event", "name", "document_number", "attempts", "next_attempt_at", "delivered_at", "answer", "error",
        ]  # fmt: skip
        read_only_fields = fields
