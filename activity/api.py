"""What happened, for other systems to follow; alerts: what wants a person's attention, and who looks after it."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from activity import services
from activity.filters import AlertFilter, EventFilter
from activity.models import Alert, Event
from activity.serializers import AlertSerializer, FedEventSerializer, SnoozeSerializer
from core.idempotency import Repeatable
from core.paging import FeedPages
from core.requests import KEY, NothingSerializer


class AlertViewSet(Repeatable, mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[Alert]):
    """Open alerts; those whose cause is gone with `closed=true`."""

    queryset = Alert.objects.select_related("site", "vendor", "taken_by", "responsible", "refused_by")
    serializer_class = AlertSerializer
    filterset_class = AlertFilter
    lookup_field = "reference"
    lookup_value_regex = KEY
    orderings = {"opened_at": "opened_at", "updated_at": "updated_at"}
    rights = {"take": "activity.take_alert", "snooze": "activity.take_alert"}

    def get_queryset(self) -> Any:
        return super().get_queryset().visible_to(self.request.user)

    @extend_schema(request=NothingSerializer, responses=AlertSerializer)
    @action(detail=True, methods=["post"])
    def take(self, request: Request, reference: str) -> Response:
        """Say that one looks after it."""
        alert = self.get_object()
        NothingSerializer.check(request)
        services.take_alert(alert_id=alert.pk, by=request.user, at=timezone.now())
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=SnoozeSerializer, responses=AlertSerializer)
    @action(detail=True, methods=["post"])
    def snooze(self, request: Request, reference: str) -> Response:
        """Put it off until a time; who does takes it."""
        alert = self.get_object()
        said = SnoozeSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        services.snooze_alert(alert_id=alert.pk, by=request.user, at=timezone.now(), **said.validated_data)
        return Response(self.get_serializer(self.get_object()).data)


class EventViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Event]):
    """Whatever happened to documents, in the order in which it was committed, each event once. Nothing is ever taken out.

    Begin without `cursor` and go on with that of the last answer, as often as you like. Events of what runs at this moment
    come with a later answer, and so do those committed meanwhile.
    """

    queryset = Event.objects.select_related("by", "site", "vendor")
    serializer_class = FedEventSerializer
    filterset_class = EventFilter
    pagination_class = FeedPages
    feed_order = ("transaction", "pk")

    def get_queryset(self) -> Any:
        return super().get_queryset().settled().visible_to(self.request.user)


ROUTES: list[tuple[str, type[viewsets.GenericViewSet[Any]]]] = [("events", EventViewSet)]
"""`documents.api` serves alerts: what they propose is applied to whole document sets."""
