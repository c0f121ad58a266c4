"""What a vendor is told of the work on a line: the item's revision, texts and files, as they stood when the order went out."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from django.db import connection
from django.db.models import Q

from production.models import Operation
from production.services.reporting import through
from subcontract_orders.models import LineStatus, OrderLine, OrderStatus

TOLD_NOW = """i.revision, coalesce(part_step.text, step.text, part.text, '') AS text, coalesce((
        SELECT jsonb_agg(jsonb_build_object('name', f.name, 'path', f.path, 'sha256', f.sha256, 'size', f.size) ORDER BY f.name)
        FROM masterdata_specificationfile f WHERE f.specification_id = coalesce(part_step.id, step.id, part.id)), '[]') AS files
    FROM subcontract_orders_orderline l {steps} JOIN masterdata_item i ON i.id = l.item_id
    LEFT JOIN masterdata_specification part_step ON (part_step.item_id, part_step.process_id) = (l.item_id, {process})
    LEFT JOIN masterdata_specification step ON step.process_id = {process} AND step.item_id IS NULL
    LEFT JOIN masterdata_specification part ON part.item_id = l.item_id AND part.process_id IS NULL"""
"""What a vendor is told of a line's work today: the text for item and process goes before that for the process, and that before
the item's.
"""
OF_LINE = TOLD_NOW.format(steps="", process="l.process_id")
OF_STEPS = TOLD_NOW.format(
    steps="""JOIN unnest(%s::bigint[], %s::bigint[]) WITH ORDINALITY x(line, process, place) ON x.line = l.id
    LEFT JOIN masterdata_process p ON p.id = x.process""",
    process="x.process",
)

Told = list[str]
"""Revision, text, and files as JSON."""


def freeze_specifications(*, line_ids: Collection[int] = (), order_ids: Collection[int] = ()) -> None:
    """Write the item's revision and the text and files for its process on lines, as they stand now; for operations bought
    together, those of each of their processes.

    What was sent keeps what it had.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE subcontract_orders_orderline l
            SET item_revision = x.revision, specification = x.text, specification_files = x.files
            FROM (SELECT l.id, {OF_LINE} WHERE l.last_operation_no = '' AND (l.id = ANY(%s) OR l.order_id = ANY(%s))) x
            WHERE l.id = x.id
                AND (l.item_revision, l.specification, l.specification_files) IS DISTINCT FROM (x.revision, x.text, x.files)
            """,
            [list(line_ids), list(order_ids)],
        )
    mine = OrderLine.objects.filter(Q(pk__in=line_ids) | Q(order__in=order_ids)).exclude(last_operation_no="")
    for line_id, (revision, text, files) in told_of_several(list(mine)).items():
        OrderLine.objects.filter(pk=line_id).update(
            item_revision=revision, specification=text, specification_files=json.loads(files)
        )


def outdated_specifications() -> dict[int, dict[str, tuple[str, str]]]:
    """What vendors who still owe pieces were told of the work and would be told otherwise now.

    By line, `item_revision`, `specification` and `specification_files` (as names) as far as they differ: what was told, and what
    it is now.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT x.id, x.was, x.said, x.had, x.revision, x.text, x.files::text FROM (
                SELECT l.id, l.item_revision AS was, l.specification AS said, l.specification_files::text AS had,
                    l.specification_files AS files_had, l.order_id, l.status, l.last_operation_no, {OF_LINE}
                WHERE l.status = 'open' AND l.last_operation_no = '') x
            JOIN subcontract_orders_subcontractorder o ON o.id = x.order_id
            WHERE o.sent_at IS NOT NULL AND o.status NOT IN ('closed', 'cancelled')
                AND (x.was, x.said, x.files_had) IS DISTINCT FROM (x.revision, x.text, x.files)
            """
        )
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    found = {line_id: _differing(both[:3], both[3:]) for line_id, *both in rows}
    sent = OrderLine.objects.filter(status=LineStatus.OPEN, order__sent_at__isnull=False).exclude(last_operation_no="")
    several = list(sent.exclude(order__status__in=[OrderStatus.CLOSED, OrderStatus.CANCELLED]))
    now = told_of_several(several)
    for line in several:
        had = [line.item_revision, line.specification, json.dumps(line.specification_files)]
        if differing := _differing(had, now[line.pk]):
            found[line.pk] = differing
    return found


def told_of_several(lines: Collection[OrderLine]) -> dict[int, Told]:
    """What the vendor is told now by lines for operations bought together: the texts under their processes' names, all files."""
    steps = operations_of(lines) if lines else {}
    asked = [(line.pk, step.process_id) for line in lines for step in steps[line.pk]]
    if not asked:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT l.id, coalesce(nullif(p.name, ''), p.code, ''), {OF_STEPS} ORDER BY x.place",
            [[line_id for line_id, _ in asked], [process_id for _, process_id in asked]],
        )
        rows = cursor.fetchall()
    parts: dict[int, list[tuple[str, str, str]]] = defaultdict(list)
    revisions = {}
    for line_id, process, revision, text, files in rows:
        revisions[line_id] = revision
        parts[line_id].append((process, text, files))
    return {line_id: [revisions[line_id], _text_of(mine), _files_of(mine)] for line_id, mine in parts.items()}


def operations_of(lines: Collection[OrderLine]) -> dict[int, list[Operation]]:
    """The operations of lines that are for several, by line: all of the production order, or those bought together."""
    steps: dict[int, list[Operation]] = {}
    for step in Operation.objects.filter(production_order__in={line.production_order_id for line in lines}):
        steps.setdefault(step.production_order_id, []).append(step)
    found = {}
    for line in lines:
        mine = steps.get(line.production_order_id or 0, [])
        found[line.pk] = mine if line.is_whole else through(mine, first=line.operation_no, last=line.last_operation_no)
    return found


def _text_of(parts: Sequence[tuple[str, str, str]]) -> str:
    """One text where all have the same, else each under the name of its process."""
    if len({text for _, text, _ in parts}) == 1:
        return parts[0][1]
    return "\n\n".join(f"{process}:\n{text}" if process else text for process, text, _ in parts if text)


def _files_of(parts: Sequence[tuple[str, str, str]]) -> str:
    files = [file for *_, said in parts for file in json.loads(said)]
    once = {(file["name"], file["sha256"]): file for file in files}
    return json.dumps([once[key] for key in sorted(once)])


def _differing(told: Sequence[str], now: Sequence[str]) -> dict[str, tuple[str, str]]:
    (revision, text, files), (revision_now, text_now, files_now) = told, now
    found = {"item_revision": (revision, revision_now), "specification": (text, text_now)}
    if json.loads(files) != json.loads(files_now):
        found["specification_files"] = (_names(files), _names(files_now))
    return {name: pair for name, pair in found.items() if pair[0] != pair[1]}


def _names(files: str) -> str:
    """Files as a person tells them apart: by name, and by what their content begins with."""
    return ", ".join(f"{file['name']} ({file['sha256'][:6]})" for file in json.loads(files))
