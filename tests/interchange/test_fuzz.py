"""Whatever rows hold, an import answers with a report or a refusal, and a refused one writes nothing."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interchange.rules.tables import TABLES
from interchange.services import ImportRefused, import_tables
from masterdata.models import Currency, Item, Location, Process, Vendor
from production.models import ProductionOrder
from tests.interchange.plans import AT, SHAFT, load

KNOWN = ["SHAFT", "BAR", "V1", "MAIN", "LATHE", "OUT", "P1", "10", "20", "Turning", "EUR", "pcs", "kg", "P9"]
WORDS = [
    "yes", "no", "raw", "plant", "vendor", "external", "own", "per_order", "maybe", "done", "planned", "cancelled", "open",
    "active", "outsource", "quota", "10|20", "V1|V2", '{"sample_pct": 10}', '[{"vendor": "V1"}]', "a:b|c:d", "line",
]  # fmt: skip
NUMBERS = ["0", "1", "-1", "0.000001", "1e5", "99999999999999", "2147483648", "1e-30", "NaN", "Infinity", " 7 ", "1,5"]
DATES = ["2026-03-18", "2026-13-40", "1900-01-01", "2199-12-31", "0001-01-01", "2026-03-18T00:00:00", "18.03.2026"]
cells = st.one_of(
    st.sampled_from(KNOWN + WORDS + NUMBERS + DATES),
    st.sampled_from(
        ["", None, True, False, 0, 1, -1, 3.5, Decimal("0.1"), [], {}, [["x"]], {"a": {"b": 1}}, "\x00", "\ud800"]
    ),
    st.text(max_size=12),
    st.integers(),
)


@st.composite
def plans(draw):
    names = draw(st.lists(st.sampled_from(sorted(TABLES)), min_size=1, max_size=3, unique=True))
    tables = {}
    for name in names:
        columns = sorted(TABLES[name].columns)
        needed = {column: st.sampled_from(KNOWN) | cells for column in columns if TABLES[name].columns[column].required}
        other = {column: cells for column in columns if column not in needed}
        tables[name] = draw(st.lists(st.fixed_dictionaries(needed, optional=other), min_size=1, max_size=4))
    return tables


def everything() -> list[list[object]]:
    return [
        list(model.objects.order_by("pk").values())
        for model in (Item, Vendor, Location, Process, ProductionOrder, Currency)
    ]


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(plans())
def test_any_rows_are_read_or_refused(tables):
    if not Item.objects.exists():
        load(SHAFT)
    before = everything()

    refusal = None
    try:
        import_tables(tables=tables, at=AT, by=None)
    except ImportRefused as refused:
        refusal = refused

    if refusal:
        assert refusal.rows
        assert all(row.code and row.detail for row in refusal.rows)
        assert not any("contradict" in row.detail for row in refusal.rows), refusal.rows  # a check says it better
        assert everything() == before


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(plans())
def test_what_was_read_once_changes_nothing_the_second_time(tables):
    if not Item.objects.exists():
        load(SHAFT)
    try:
        import_tables(tables=tables, at=AT, by=None)
    except ImportRefused:
        return

    assert import_tables(tables=tables, at=AT, by=None).written == 0, tables
