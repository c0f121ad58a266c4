"""How the pages write things: icons, chips, quantities, money, days, lateness, quantity bars, vendors' tiles."""

from __future__ import annotations

import datetime as dt
import json
import zlib
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any, NamedTuple

import tablericons
from django import template
from django.utils import timezone
from django.utils.dates import MONTHS_3
from django.utils.formats import get_format
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from masterdata.models import VIRTUAL_KINDS, LocationKind
from workbench.rules import days_written_out, sentences, undoing
from workbench.rules import words as code_words

register = template.Library()


# ── Icons and chips ─────────────────────────────────────────────────────


@lru_cache(maxsize=256)
def _icon(name: str, css: str) -> SafeString:
    if "/" not in name:
        name = f"outline/{name}"
    svg = tablericons._render_icon(name, None, **{"class": css, "aria-hidden": "true", "focusable": "false"})
    return mark_safe(svg)  # noqa: S308  a drawing out of the icon package, no text of ours


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """A line icon by its Tabler name; hidden from screen readers, as a word always stands beside it."""
    return _icon(str(name), f"sc-i {css}".strip())


class Look(NamedTuple):
    """A chip's colour family, its word, and its mark: `dot`, `hollow` or an icon's name."""

    tone: str
    word: str | Promise
    mark: str


ORDER_LOOKS = {
    "draft": Look("mute", _("Draft"), "hollow"),
    "approved": Look("warn", _("Approved"), "dot"),
    "sent": Look("brand", _("Sent"), "hollow"),
    "acknowledged": Look("brand", _("Acknowledged"), "dot"),
    "held": Look("bad", _("Held"), "alert-triangle"),
    "closed": Look("ok", _("Closed"), "check"),
    "cancelled": Look("mute", _("Cancelled"), "x"),
}
VERDICT_LOOKS = {
    "in_house": Look("mute", _("Stays inside"), "home"),
    "outsource": Look("brand", _("Goes outside"), "arrow-up-right"),
    "review": Look("warn", _("Review"), "eye"),
    "blocked": Look("bad", _("Blocked"), "alert-triangle"),
}
SHIPMENT_LOOKS = {
    "planned": Look("mute", _("Planned"), "hollow"),
    "ready": Look("ok", _("Ready"), "dot"),
    "short": Look("bad", _("Short"), "alert-triangle"),
    "picked": Look("info", _("Picked"), "dot"),
    "dispatched": Look("brand", _("Dispatched"), "dot"),
    "delivered": Look("ok", _("Delivered"), "check"),
    "held": Look("bad", _("Held"), "alert-triangle"),
    "cancelled": Look("mute", _("Cancelled"), "x"),
    "reversed": Look("mute", _("Reversed"), "arrow-back-up"),
}
RECEIPT_LOOKS = {
    "posted": Look("ok", _("Posted"), "check"),
    "inspection": Look("violet", _("In inspection"), "dot"),
    "quarantined": Look("bad", _("In quarantine"), "alert-triangle"),
    "reversed": Look("mute", _("Reversed"), "arrow-back-up"),
}
RETURN_LOOKS = {
    "draft": Look("warn", _("To come back"), "hollow"),
    "dispatched": Look("brand", _("On its way"), "dot"),
    "posted": Look("ok", _("Arrived"), "check"),
    "reversed": Look("mute", _("Reversed"), "arrow-back-up"),
    "cancelled": Look("mute", _("Cancelled"), "x"),
}
PURCHASE_LOOKS = {
    "planned": Look("mute", _("Planned"), "hollow"),
    "to_order": Look("warn", _("To order"), "hollow"),
    "ordered": Look("brand", _("Ordered"), "dot"),
    "surplus": Look("bad", _("Too much ordered"), "alert-triangle"),
    "arrived": Look("ok", _("Arrived"), "check"),
    "closed": Look("mute", _("Closed"), "check"),
}
INVOICE_LOOKS = {
    "entered": Look("mute", _("Entered"), "hollow"),
    "matched": Look("brand", _("Matched"), "dot"),
    "held": Look("bad", _("Held"), "alert-triangle"),
    "disputed": Look("warn", _("Disputed"), "message-exclamation"),
    "approved": Look("ok", _("Approved"), "dot"),
    "exported": Look("ok", _("Exported"), "check"),
    "withdrawn": Look("mute", _("Withdrawn"), "x"),
}
CHARGE_BACK_LOOKS = {
    "proposed": Look("warn", _("Proposed"), "hollow"),
    "claimed": Look("brand", _("Claimed"), "dot"),
    "settled": Look("ok", _("Settled"), "check"),
    "waived": Look("mute", _("Let go"), "x"),
}
CONFIRMATION_LOOKS = {
    "prepared": Look("mute", _("Prepared"), "hollow"),
    "sent": Look("brand", _("Sent"), "dot"),
    "agreed": Look("ok", _("Agreed"), "check"),
    "differs": Look("bad", _("Differs"), "alert-triangle"),
}
RUN_LOOKS = {
    "waiting": Look("mute", _("Waiting"), "hollow"),
    "deciding": Look("brand", _("Deciding"), "dot"),
    "writing": Look("brand", _("Writing"), "dot"),
    "running": Look("brand", _("Running"), "dot"),
    "done": Look("ok", _("Done"), "check"),
    "failed": Look("bad", _("Failed"), "alert-triangle"),
    "held": Look("warn", _("Waits for a person"), "hand-stop"),
    "dropped": Look("mute", _("Dropped"), "x"),
    "cancelled": Look("mute", _("Cancelled"), "x"),
}
SEVERITY_LOOKS = {
    "info": Look("info", _("Info"), "dot"),
    "warning": Look("warn", _("Warning"), "dot"),
    "critical": Look("bad", _("Critical"), "alert-triangle"),
}
LOOKS: Mapping[str, Mapping[str, Look]] = {
    "order": ORDER_LOOKS,
    "verdict": VERDICT_LOOKS,
    "shipment": SHIPMENT_LOOKS,
    "receipt": RECEIPT_LOOKS,
    "return": RETURN_LOOKS,
    "purchase": PURCHASE_LOOKS,
    "invoice": INVOICE_LOOKS,
    "charge_back": CHARGE_BACK_LOOKS,
    "confirmation": CONFIRMATION_LOOKS,
    "run": RUN_LOOKS,
    "severity": SEVERITY_LOOKS,
}


@register.simple_tag
def chip(family: str, value: str, css: str = "") -> SafeString:
    """The chip of a status: colour, mark and word, never colour alone."""
    look = LOOKS[family].get(str(value)) or Look("mute", str(value).replace("_", " ").capitalize(), "dot")
    if look.mark == "dot":
        mark: SafeString = mark_safe('<span class="sc-dot"></span>')
    elif look.mark == "hollow":
        mark = mark_safe('<span class="sc-dot sc-dot-hollow"></span>')
    else:
        mark = _icon(look.mark, "sc-i")
    return format_html('<span class="sc-chip sc-tone-{} {}">{}{}</span>', look.tone, css, mark, look.word)


@register.simple_tag
def look(family: str, value: str) -> Look:
    """The same three parts apart, for a page that draws them larger."""
    return LOOKS[family].get(str(value)) or Look("mute", str(value), "dot")


# ── Numbers and days ────────────────────────────────────────────────────


SWAPPED = str.maketrans(",.", ".,")


def _written(text: str) -> str:
    """A number written 1,250.5 as the language on the page writes it: 1.250,5 in German."""
    return text.translate(SWAPPED) if get_format("DECIMAL_SEPARATOR") == "," else text


def _without_zeros(value: Any) -> str:
    text = f"{Decimal(str(value)):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@register.filter
def quantity(value: Any) -> str:
    """A quantity without needless zeros: 1250.00000 is 1,250 and 0.04000 is 0.04."""
    return "–" if value is None or value == "" else _written(_without_zeros(value))


@register.filter
def counts(missing: Any) -> str:
    """What counts found, with its sign: 2 missing is −2, 3 more than in the book (−3 missing) is +3."""
    amount = -Decimal(str(missing or 0))
    return f"−{quantity(-amount)}" if amount < 0 else f"+{quantity(amount)}"


@register.filter
def plain_quantity(value: Any) -> str:
    """A quantity as it stands in a field, without marks between thousands: 1250.00000 is 1250."""
    return _written(_without_zeros(value).replace(",", "")) if value not in (None, "") else ""


@register.filter
def money(value: Any, decimals: int = 2) -> str:
    """An amount with its currency's decimals: 1864.2 is 1,864.20."""
    if value is None or value == "":
        return "–"
    return _written(f"{Decimal(str(value)).quantize(Decimal(1).scaleb(-int(decimals)), ROUND_HALF_UP):,f}")


@register.filter
def price(value: Any) -> str:
    """A unit price: at least two decimals, more only where it has them (7.4 is 7.40, 0.01250 is 0.0125)."""
    if value is None or value == "":
        return "–"
    whole, _point, rest = _without_zeros(value).partition(".")
    return _written(f"{whole}.{rest:0<2}")


@register.filter
def whole(value: Any) -> str:
    """An amount in a figure, where cents only make noise: 835753.41 is 835,753."""
    return money(value, 0)


@register.filter
def capped(count: int, at: int = 1000) -> str:
    """A tab's count, which is never counted past 1,000."""
    return _written(f"{at:,}+" if count > at else f"{count:,}")


@register.filter
def day(value: dt.date | dt.datetime | str | None, today: dt.date | None = None) -> str:
    """A day as 17 Nov (17. Nov in German), with the year where it is not today's."""
    if not value:
        return "–"
    if isinstance(value, str):
        value = dt.date.fromisoformat(value[:10])
    text = gettext("{day} {month}").format(day=value.day, month=str(MONTHS_3[value.month]).capitalize())
    return text if today is not None and value.year == today.year else f"{text} {value.year}"


@register.filter
def moment(value: dt.datetime | None, today: dt.date | None = None) -> str:
    """A point in time as 17 Nov, 09:12, in the reader's time zone."""
    if value is None:
        return "–"
    local = timezone.localtime(value)
    return f"{day(local.date(), today)}, {local:%H:%M}"


class Lateness(NamedTuple):
    """How near a day is, in words, and the class that colours it."""

    words: str
    css: str


@register.filter
def lateness(due: dt.date | None, today: dt.date) -> Lateness:
    """Red and 5 d late when past, amber within three days, plain further away."""
    if due is None:
        return Lateness("", "")
    days = (due - today).days
    if days < 0:
        return Lateness(ngettext("{days} d late", "{days} d late", -days).format(days=-days), "sc-late")
    later = gettext("in {days} d").format(days=days)
    words = gettext("today") if days == 0 else gettext("tomorrow") if days == 1 else later
    return Lateness(words, "sc-soon" if days <= 3 else "sc-mute")


@register.filter
def called(thing: Any) -> str:
    """What a vendor, part, place or process is called: its name, else its code. A virtual place is called what it is for."""
    if getattr(thing, "kind", None) in VIRTUAL_KINDS:
        return gettext(str(LocationKind(thing.kind).label))
    return (thing.name or thing.code) if thing else "–"


@register.filter
def person(user: Any) -> str:
    """A user by full name, else by user name; nobody is the system."""
    return (user.get_full_name() or user.get_username()) if user else gettext("the system")


@register.filter
def words(value: Any) -> str:
    """A code as words, in the reader's language: previous_operation_short is Previous operation short."""
    return code_words(str(value))


@register.filter
def days(text: Any) -> str:
    """A sentence with its ISO days written out, in the reader's language where it is one that is known."""
    return sentences.told(days_written_out(str(text)))


@register.filter
def told(text: Any) -> Any:
    """A sentence of a refusal, in the reader's language where it is one that is known; markup is no sentence."""
    return text if isinstance(text, SafeString) else sentences.told(str(text))


@register.filter
def all_told(parts: Any) -> str:
    """Several words or sentences, each in the reader's language, with commas between them."""
    return ", ".join(sentences.told(str(part)) for part in parts)


@register.filter
def written(value: Any) -> str:
    """A value of something that changed, such as a day, as the reader writes it."""
    return sentences.written(str(value))


@register.filter
def word(value: Any) -> Any:
    """A word of ours, such as that of a choice, in the reader's language; anything else as it is."""
    if not isinstance(value, str) or not value:
        return value
    said = gettext(value)
    return value if said == value else said  # what is markup stays so


register.filter("undo_of", undoing.undo_of)
register.filter("tags_of", undoing.tags_of)


@register.filter
def figure_text(value: Any) -> str:
    """A measured figure as it stands in a table: 1,250, 93.3, 4.25; – where there is nothing to read it from."""
    if value is None or value.value is None:
        return "–"
    places = {"share": 1, "ppm": 0, "sum": 1, "median": 0, "standing": 2}[value.figure.reading]
    return money(value.value, 2 if value.figure.unit == "money" else places)


# ── Bars and tiles ──────────────────────────────────────────────────────


class Part(NamedTuple):
    """One stretch of a bar, in hundredths of its width."""

    kind: str
    x: str
    width: str


def bar_parts(parts: list[tuple[str, Decimal]], total: Decimal) -> list[Part]:
    """Lay the parts end to end. More than the total is cut at the right edge, so a bar never lies about its whole."""
    laid, at = [], Decimal(0)
    for kind, value in parts:
        if total <= 0 or value <= 0:
            continue
        width = min(Decimal(100) * value / total, Decimal(100) - at)
        if width > 0:
            laid.append(Part(kind, f"{at:.2f}", f"{width:.2f}"))
            at += width
    return laid


def _amount(value: Any) -> Decimal:
    return Decimal(str(value)) if value else Decimal(0)


@register.inclusion_tag("components/quantity_bar.html")
def quantity_bar(
    ordered: Any, received: Any = 0, scrapped: Any = 0, at_vendor: Any = 0, unit: Any = "", tall: bool = False
) -> dict[str, Any]:
    """Where the pieces are, always in this order: received, scrapped, still at the vendor, not sent yet."""
    parts = [("received", _amount(received)), ("scrap", _amount(scrapped)), ("vendor", _amount(at_vendor))]
    whole = f"{quantity(ordered)} {unit or ''}".strip()
    said = [gettext("{received} of {ordered} received").format(received=quantity(received or 0), ordered=whole)]
    if scrapped:
        said.append(gettext("{scrapped} scrapped").format(scrapped=quantity(scrapped)))
    if at_vendor:
        said.append(gettext("{at_vendor} at the vendor").format(at_vendor=quantity(at_vendor)))
    return {"parts": bar_parts(parts, _amount(ordered)), "label": ", ".join(said), "tall": tall}


@register.inclusion_tag("components/quantity_bar.html")
def counted_bar(line: Any) -> dict[str, Any]:
    """What came on a receipt line: good, and rejected or scrapped."""
    bad = line.rejected + line.scrapped
    label = gettext("{good} of {counted} good").format(good=quantity(line.accepted), counted=quantity(line.counted))
    return {"parts": bar_parts([("received", line.accepted), ("scrap", bad)], line.counted), "label": label}


@register.inclusion_tag("components/quantity_bar.html")
def verdict_bar(run: Any, tall: bool = False) -> dict[str, Any]:
    """The four verdicts of a run: outside, inside, to review, blocked."""
    parts = [("brand", run.outsource), ("mute", run.in_house), ("warn", run.review), ("bad", run.blocked)]
    label = gettext("{outside} outside, {inside} inside, {review} to review, {blocked} blocked").format(
        outside=run.outsource, inside=run.in_house, review=run.review, blocked=run.blocked
    )
    return {
        "parts": bar_parts([(kind, _amount(count)) for kind, count in parts], _amount(run.operations)),
        "label": label,
        "tall": tall,
    }


@register.inclusion_tag("components/progress_bar.html")
def progress_bar(done: int, total: int, label: str) -> dict[str, Any]:
    """How far something is; without a total it is shown as not begun."""
    return {
        "parts": bar_parts([("received" if done == total else "brand", _amount(done))], _amount(total)),
        "done": done,
        "total": total,
        "label": label,
    }


@register.filter
def initials(name: str) -> str:
    """Two letters for a tile: Alpen Eloxal is AE, Litware is LI."""
    parts = [part for part in str(name).replace(",", " ").replace(".", " ").split() if part[0].isalnum()]
    if not parts:
        return "?"
    return (parts[0][0] + parts[1][0] if len(parts) > 1 else parts[0][:2]).upper()


@register.simple_tag
def avatar(code: str, name: str = "") -> SafeString:
    """A vendor's tile: initials on one of eight hues, the same for a code wherever it stands."""
    hue = zlib.crc32(str(code).encode()) % 8
    return format_html('<span class="sc-avatar sc-hue-{}" aria-hidden="true">{}</span>', hue, initials(name or code))


@register.simple_tag
def script_words() -> str:
    """What the page's script says, as JSON for a data attribute."""
    words = {
        "selected": gettext("{n} order selected"),
        "selectedMany": gettext("{n} orders selected"),
        "restored": gettext("What you had typed is still here."),
        "anew": gettext("Begin anew"),
        "offline": gettext("There is no connection. What you typed is kept: post it when you are back."),
    }
    return json.dumps(words, ensure_ascii=False)
