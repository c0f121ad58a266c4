"""Plays a case through the public REST API, in process, with the clock the case sets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import time_machine
from django.db import connection
from django.urls import Resolver404, resolve
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import Access, Role, User
from documents import services as documents
from documents.models import GenerationRun
from invoices import services as invoices
from invoices.models import Invoice
from masterdata import services as masterdata
from receipts import services as receipts
from receipts.models import Receipt
from shipments import services as shipments
from shipments.models import Shipment
from subcontract_orders.models import OrderStatus, SubcontractOrder
from tests.played import filled_tables
from tests.scenarios import case_files, expectations
from tests.scenarios.expectations import NotBuiltYet, WrongAnswer
from tests.scenarios.vocabulary import BESIDE_A_STEP, check_case

API = "/api/v1/"
START_OF_WORK = time(8, 0, tzinfo=UTC)
# What changes without being anyone's business: answers kept for repeated calls, when a token was last used.
NOT_BUSINESS = ("core_storedanswer", "accounts_apitoken", "django_session")


class Answer:
    """Status and content of an API answer; numbers in it are decimals."""

    def __init__(self, status: int, content: bytes) -> None:
        self.status = status
        self.body: Any = json.loads(content, parse_float=Decimal) if content else {}

    @property
    def codes(self) -> list[str]:
        """The codes of a problem document: its own and those of its errors."""
        if not isinstance(self.body, dict):
            return []
        errors = [error.get("code") for error in self.body.get("errors") or []]
        return [code for code in [self.body.get("code"), *errors] if code]


class Api:
    """The REST API as one user calls it."""

    def __init__(self, user: User) -> None:
        self.client = APIClient()
        self.client.force_authenticate(user)

    def get(self, *parts: object, **query: object) -> Any:
        """A resource by its business keys."""
        answer = self._call("get", _path(*parts), query)
        if answer.status != 200:
            raise WrongAnswer(f"GET {_path(*parts)}: {answer.status} {answer.body}")
        return answer.body

    def rows(self, *parts: object, **query: object) -> list[dict[str, Any]]:
        """All rows of a list, page by page."""
        return list(self._pages(_path(*parts), {"limit": 200, **query}))

    def _pages(self, path: str, query: dict[str, object]) -> Iterator[dict[str, Any]]:
        while path:
            answer = self._call("get", path, query)
            if answer.status != 200:
                raise WrongAnswer(f"GET {path}: {answer.status} {answer.body}")
            if isinstance(answer.body, list):
                yield from answer.body
                return
            yield from answer.body["results"]
            path, query = answer.body.get("next") or "", {}

    def post(self, *parts: object, body: object = None) -> Answer:
        return self._call("post", _path(*parts), {} if body is None else body)

    def patch(self, *parts: object, body: object) -> Answer:
        return self._call("patch", _path(*parts), body)

    def _call(self, method: str, path: str, data: Any) -> Answer:
        known = urlsplit(path).path
        try:
            resolve(unquote(known))
        except Resolver404:
            raise NotBuiltYet(f"{method.upper()} {known}") from None
        response = getattr(self.client, method)(path, data, format=None if method == "get" else "json")
        if response.status_code in (405, 501):
            raise NotBuiltYet(f"{method.upper()} {known}")
        answer = Answer(response.status_code, response.content)
        if "not_built" in answer.codes:
            raise NotBuiltYet(f"{method.upper()} {known}: {answer.body.get('detail')}")
        return answer


def _path(*parts: object) -> str:
    """`("subcontract-orders", "SC-1", "send")` as a path of the API; keys may hold any sign."""
    return API + "/".join(quote(str(part), safe="") for part in parts) + "/"


class Documents:
    """The documents of a case, named by the order in which they came to be, from 1.

    Found beside the API, which would list each kind whole after every step: only what a case does and expects is asked there.
    """

    KINDS = {
        "order": SubcontractOrder.objects.all,
        "shipment": Shipment.objects.all,
        "receipt": Receipt.objects.all,
        "invoice": Invoice.objects.billed,
    }
    LISTS = {"order": "subcontract-orders", "shipment": "shipments", "receipt": "receipts", "invoice": "invoices"}

    def __init__(self) -> None:
        self.numbers: dict[str, list[str]] = {kind: [] for kind in self.KINDS}

    def look(self) -> None:
        """Take in what has come since the last look: what one step made is ordered by number."""
        for kind, rows in self.KINDS.items():
            known = self.numbers[kind]
            new = set(rows().values_list("number", flat=True)) - set(known)
            known += sorted(new, key=lambda number: (len(number), number))

    def number(self, kind: str, place: int) -> str:
        """The number of the `place`th document of a kind."""
        numbers = self.numbers[kind]
        if not 1 <= place <= len(numbers):
            raise WrongAnswer(f"there is no {kind} {place}: the case has made {len(numbers)}")
        return numbers[place - 1]

    def order(self, place: int) -> SubcontractOrder:
        """The `place`th order as it stands."""
        return SubcontractOrder.objects.get(number=self.number("order", place))


class Play:
    """One case being played: its users, its documents, its clock."""

    def __init__(self, case: dict[str, Any]) -> None:
        check_case(case)
        self.case = case
        self.api = Api(_user_with_every_right("scenario"))
        self.other_api = Api(_user_with_every_right("scenario-release"))
        self.documents = Documents()
        self.costs: dict[str, Any] = {}
        self.clock: time_machine.travel | None = None
        self.answer: Any = None
        self.arrived: set[str] = set()

    def run(self) -> None:
        """Play all steps and compare all that the case expects. Raises WrongAnswer or NotBuiltYet."""
        try:
            self.set_clock(self.case["today"])
            given = self.load(case_files.with_ground(self.case.get("given") or {}))
            if given.status >= 400:
                raise WrongAnswer(f"given: refused with {given.status} {given.body}")
            self.documents.look()
            for number, step in enumerate(self.case.get("steps") or [], 1):
                self.step(number, step)
            self.compare("at the end", self.case.get("expect") or {})
        finally:
            if self.clock:
                self.clock.stop()

    def set_clock(self, today: date | str) -> None:
        if isinstance(today, str):  # quoted in the case
            today = date.fromisoformat(today)
        if self.clock:
            self.clock.stop()
        self.clock = time_machine.travel(datetime.combine(today, START_OF_WORK), tick=True)
        self.clock.start()

    def step(self, number: int, step: dict[str, Any]) -> None:
        [word] = [word for word in step if word not in BESIDE_A_STEP]
        for _ in range(step.get("times", 1)):
            where = f"step {number} ({word})"
            self.act(where, word, step[word], refused=step.get("refused"))
            self.documents.look()
            self.compare(where, step.get("expect") or {})

    def act(self, where: str, word: str, fields: Any, *, refused: str | None) -> None:
        if word in ("ship", "receive"):
            self.send_where_unsent(fields["order"])
        elif word == "send" and not refused:
            self.approve_where_draft(fields["order"])
        elif word == "deliver" and not refused and self.came_by_itself(fields["shipment"]):
            return
        before = business_content() if refused else {}
        answer = getattr(self, word)(fields)
        if answer is None:
            return
        if (
            word in ("ship", "receive")
            and not refused
            and answer.status >= 400
            and self.revision_waits(fields["order"])
        ):
            # What was sent last does not allow it, the revision that waits may.
            self.approve_and_send(fields["order"])
            answer = getattr(self, word)(fields)
        if refused is None and answer.status >= 400:
            raise WrongAnswer(f"{where}: refused with {answer.status} {answer.body}")
        if refused is not None:
            if answer.status < 400:
                raise WrongAnswer(f"{where}: must be refused with {refused} and was done: {answer.body}")
            if refused not in answer.codes:
                raise WrongAnswer(f"{where}: must be refused with {refused} and was with {answer.body}")
            changed = [table for table, content in business_content().items() if content != before.get(table)]
            if changed:
                raise WrongAnswer(f"{where}: was refused and yet changed {', '.join(changed)}")

    def compare(self, where: str, expect: dict[str, Any]) -> None:
        if not expect:
            return
        cent = Decimal(1).scaleb(-masterdata.company().currency.decimals)
        differences = expectations.differences(
            expect, api=self.api, documents=self.documents, answer=self.answer, cent=cent
        )
        if differences:
            raise WrongAnswer("\n".join([f"{where}: {len(differences)} not as expected", *differences]))

    # The runner's own acts: what a person would have done before.

    def approve_where_draft(self, order: int) -> str:
        """How the order stands then."""
        status = self.documents.order(order).status
        if status != OrderStatus.DRAFT:
            return status
        return str(self.done(self.order_act({"order": order}, "approve"))["status"])

    def revision_waits(self, order: int) -> bool:
        """Whether the order was sent once and a later revision of it is still to be approved or sent."""
        return self.documents.order(order).revision_waits

    def send_where_unsent(self, order: int) -> None:
        if not self.revision_waits(order):
            self.approve_and_send(order)

    def approve_and_send(self, order: int) -> None:
        if self.approve_where_draft(order) == "approved":
            self.done(self.order_act({"order": order}, "send"))

    def came_by_itself(self, shipment: int) -> bool:
        """Whether its transit days brought it before the case says so: the same arrival, not a second one."""
        return self.documents.number("shipment", shipment) in self.arrived

    @staticmethod
    def done(answer: Answer) -> Any:
        if answer.status >= 400:
            raise WrongAnswer(f"refused with {answer.status} {answer.body}")
        return answer.body

    # Steps, one method each, by the word of the case.

    def today(self, today: date) -> None:
        """The clock moves; what was on its way has come by its day, and what is watched all the time has been looked at."""
        self.set_clock(today)
        on_their_way = self.shipments_that_are("dispatched")
        shipments.deliver_due(at=timezone.now())
        receipts.deliver_due_returns(at=timezone.now())
        self.arrived |= on_their_way & self.shipments_that_are("delivered")
        documents.watch(at=timezone.now(), on=timezone.localdate())
        invoices.watch_invoices(at=timezone.now(), on=timezone.localdate())

    def shipments_that_are(self, status: str) -> set[str]:
        return {str(row["number"]) for row in self.api.rows("shipments") if row["status"] == status}

    def load(self, tables: case_files.Tables) -> Answer:
        return self.api.post("imports", body=case_files.row_defaults(tables, costs=self.costs))

    def plan(self, orders: list[dict[str, Any]]) -> Answer:
        return self.api.post("production-orders", body=case_files.plain(orders))

    def cancel_plan(self, fields: dict[str, Any]) -> Answer:
        return self.api.post("production-orders", fields["number"], "cancel")

    def outsource(self, fields: dict[str, Any]) -> Answer:
        return self.operation(fields, "outsource")

    def insource(self, fields: dict[str, Any]) -> Answer:
        return self.operation(fields, "insource")

    def report(self, fields: dict[str, Any]) -> Answer:
        return self.operation(fields, "report")

    def operation(self, fields: dict[str, Any], act: str) -> Answer:
        body = {name: value for name, value in fields.items() if name not in ("production_order", "operation")}
        return self.api.post(
            "production-orders", fields["production_order"], "operations", fields["operation"], act, body=body
        )

    def simulate(self, fields: dict[str, Any]) -> Answer:
        answer = self.api.post("policies", "simulate", body=fields)
        self.answer = answer.body
        return answer

    def generate(self, fields: dict[str, Any]) -> Answer:
        answer = self.api.post("generation-runs", body=fields or {})
        if answer.status >= 400:
            return answer
        number = answer.body["number"]
        documents.run_to_end(run_id=GenerationRun.objects.get(number=number).pk, at=timezone.now())
        run = self.api.get("generation-runs", number)
        if run["state"] != "done":
            raise WrongAnswer(f"run {number} ended {run['state']}: {run.get('error')}")
        return answer

    def order_act(self, fields: dict[str, Any], act: str) -> Answer:
        number = self.documents.number("order", fields["order"])
        body = {name: value for name, value in fields.items() if name != "order"}
        return self.api.post("subcontract-orders", number, act, body=case_files.plain(body))

    def approve(self, fields: dict[str, Any]) -> Answer:
        return self.order_act(fields, "approve")

    def send(self, fields: dict[str, Any]) -> Answer:
        return self.order_act(fields, "send")

    def cancel(self, fields: dict[str, Any]) -> Answer:
        return self.order_act(fields, "cancel")

    def close(self, fields: dict[str, Any]) -> Answer:
        return self.order_act(fields, "close")

    def reopen(self, fields: dict[str, Any]) -> Answer:
        return self.order_act(fields, "reopen")

    def acknowledge(self, fields: dict[str, Any]) -> Answer:
        return self.order_act(fields, "acknowledge")

    def counter(self, fields: dict[str, Any]) -> Answer:
        return self.order_act(fields, "counter")

    def accept_counter(self, fields: dict[str, Any]) -> Answer:
        return self.order_act(fields, "accept-counter")

    def revise(self, fields: dict[str, Any]) -> Answer:
        """A line of an order never sent is changed where it stands; one that was sent by a new revision."""
        number = self.documents.number("order", fields["order"])
        if self.api.get("subcontract-orders", number)["sent_at"]:
            return self.order_act(fields, "revise")
        body = {name: value for name, value in fields.items() if name not in ("order", "line")}
        body = case_files.plain({**body, "reason": "set by hand"})
        return self.api.patch("subcontract-orders", number, "lines", fields["line"], body=body)

    def ship(self, fields: dict[str, Any]) -> Answer:
        """Pick and dispatch: the lines of the case, else all that is planned and still open; with `hold` neither."""
        return self.api.post(
            "shipments", body=case_files.plain({**fields, "order": self.documents.number("order", fields["order"])})
        )

    def deliver(self, fields: dict[str, Any]) -> Answer:
        return self.api.post("shipments", self.documents.number("shipment", fields["shipment"]), "deliver")

    def cancel_shipment(self, fields: dict[str, Any]) -> Answer:
        return self.api.post("shipments", self.documents.number("shipment", fields["shipment"]), "cancel")

    def reverse_shipment(self, fields: dict[str, Any]) -> Answer:
        return self.api.post("shipments", self.documents.number("shipment", fields["shipment"]), "reverse")

    def receive(self, fields: dict[str, Any]) -> Answer:
        number = self.documents.number("order", fields["order"])
        order = self.api.get("subcontract-orders", number)
        lines = [{"order": number, **line} for line in fields["lines"]]
        body = {"vendor": order["vendor"], "note": fields["note"], "lines": lines}
        return self.api.post("receipts", body=case_files.plain(body))

    def receipt_act(self, fields: dict[str, Any], act: str) -> Answer:
        number = self.documents.number("receipt", fields["receipt"])
        body = {name: value for name, value in fields.items() if name != "receipt"}
        if "line" in body:
            # A case says the order's line, as where it was received; the product counts a receipt's own lines.
            lines = self.api.get("receipts", number)["lines"]
            body["line"] = next((row["line"] for row in lines if row["order_line"] == body["line"]), body["line"])
        return self.api.post("receipts", number, act, body=case_files.plain(body))

    def inspect(self, fields: dict[str, Any]) -> Answer:
        return self.receipt_act(fields, "inspect")

    def adjust_consumption(self, fields: dict[str, Any]) -> Answer:
        return self.receipt_act(fields, "adjust-consumption")

    def reverse_receipt(self, fields: dict[str, Any]) -> Answer:
        return self.receipt_act(fields, "reverse")

    def return_material(self, fields: dict[str, Any]) -> Answer:
        return self.api.post("returns", body=case_files.plain({"kind": "material", **fields}))

    def return_product(self, fields: dict[str, Any]) -> Answer:
        number = self.documents.number("receipt", fields["receipt"])
        return self.api.post("returns", body=case_files.plain({"kind": "product", **fields, "receipt": number}))

    def count(self, fields: dict[str, Any]) -> Answer:
        return self.api.post("vendor-balances", "count", body=case_files.plain(fields))

    def invoice(self, fields: dict[str, Any]) -> Answer:
        lines = [{**line, "order": self.documents.number("order", line["order"])} for line in fields["lines"]]
        return self.api.post("invoices", body=case_files.plain({**fields, "lines": lines}))

    def credit(self, fields: dict[str, Any]) -> Answer:
        lines = [{**line, "order": self.documents.number("order", line["order"])} for line in fields["lines"]]
        number = self.documents.number("invoice", fields["invoice"])
        return self.api.post("invoices", number, "credit", body=case_files.plain({"lines": lines}))

    def match(self, fields: dict[str, Any]) -> Answer:
        return self.api.post("invoices", self.documents.number("invoice", fields["invoice"]), "match")

    def release(self, fields: dict[str, Any]) -> Answer:
        return self.other_api.post("invoices", self.documents.number("invoice", fields["invoice"]), "release")

    def dispute(self, fields: dict[str, Any]) -> Answer:
        return self.api.post("invoices", self.documents.number("invoice", fields["invoice"]), "dispute")

    def approve_invoice(self, fields: dict[str, Any]) -> Answer:
        return self.api.post("invoices", self.documents.number("invoice", fields["invoice"]), "approve")

    def apply_alert(self, fields: dict[str, Any]) -> Answer:
        found = [
            alert
            for alert in self.api.rows("alerts")
            if expectations.is_open(alert) and alert["kind"] == fields["kind"]
        ]
        if len(found) != 1:
            raise WrongAnswer(f"{len(found)} alerts of kind {fields['kind']} are open, one was to be applied")
        answer = self.api.post("alerts", found[0]["reference"], "apply")
        if fields["kind"] == "short_receipt" and answer.status < 400:
            self.generate({})  # the further line is written by the run that this act asks for
        return answer


def _user_with_every_right(name: str) -> User:
    user = User.objects.create_user(username=name, email=f"{name}@example.com", password=None)
    Access.objects.create(user=user, role=Role.ADMINISTRATOR)
    return user


def business_content() -> dict[str, str]:
    """A fingerprint of every table that holds anything, to see that a refusal changed nothing."""
    tables = [table for table in filled_tables() if table not in NOT_BUSINESS]
    one = "SELECT '{0}', md5(string_agg(row::text, '|' ORDER BY row::text)) FROM \"{0}\" row"
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join([one.format(table) for table in tables]) or "SELECT 1, 1 WHERE false")
        return dict(cursor.fetchall())
