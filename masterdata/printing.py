"""The company's paper: HTML of a document made into a PDF, and the code a phone reads on it."""

from __future__ import annotations

import mimetypes
from base64 import b64encode
from decimal import Decimal
from typing import Any

import segno
from barcode import Code128  # type: ignore[import-untyped]
from barcode.writer import SVGWriter  # type: ignore[import-untyped]
from django.template.loader import render_to_string
from django.utils.formats import number_format
from django.utils.safestring import SafeString, mark_safe

from core.refusals import Refusal
from masterdata.models import Company, Site, Vendor
from masterdata.rules.ubl import UblParty


class PdfUnavailable(Refusal):
    """This machine lacks a library that PDFs are made with."""

    code = "pdf_unavailable"
    status = 503


def company() -> Company:
    """Whose paper it is; an unnamed company where none was loaded yet."""
    return Company.objects.first() or Company(name="")


def own_party(site: Site | None = None) -> UblParty:
    """Us, as a UBL document names us; with a site known by it."""
    ours = company()
    street = ours.address.splitlines()[0] if ours.address else ""
    return UblParty(ours.name or (site.name if site else ""), (site.code,) if site else (), "", street)


def vendor_party(vendor: Vendor) -> UblParty:
    """A vendor, as a UBL document names him."""
    return UblParty(vendor.name or vendor.code, (vendor.code,), vendor.country)


def logo() -> str:
    """The company's logo as a data address, to stand on a paper; empty where there is none."""
    image = company().logo
    if not image:
        return ""
    try:
        with image.open("rb") as file:
            drawn = file.read()
    except OSError:  # the row outlived its file: the paper goes without
        return ""
    kind = mimetypes.guess_type(str(image.name))[0] or "image/png"
    return f"data:{kind};base64,{b64encode(drawn).decode()}"


def number(value: Decimal, *, least: int = 0) -> str:
    """Without needless zeros but for so many decimals, written as the language in force writes it."""
    digits = max(-int(value.normalize().as_tuple().exponent), least, 0)
    return number_format(value, decimal_pos=digits, use_l10n=True, force_grouping=True)


def bar_code(text: str) -> SafeString:
    """A number as Code 128, in SVG to stand in HTML."""
    drawn: bytes = Code128(text, writer=SVGWriter()).render({"write_text": False, "module_height": 9, "quiet_zone": 2})
    return SafeString(drawn[drawn.index(b"<svg") :].decode())  # drawn from bars alone


def qr_code(address: str) -> SafeString:
    """An address as a QR code, in SVG to stand in HTML."""
    return mark_safe(segno.make(address, error="m").svg_inline(scale=3, border=0))  # noqa: S308  drawn from squares alone


def as_pdf(template: str, context: dict[str, Any]) -> bytes:
    """A template as a PDF, in the language in force. Nothing is fetched: whatever stands on the page is in the template.

    Raises PdfUnavailable.
    """
    try:
        # Here and not above: it loads Pango, which is not on every machine, and all but the papers work without it.
        import weasyprint
    except OSError as problem:
        raise PdfUnavailable(
            "This machine cannot make PDFs: the library Pango is missing. On Debian and Ubuntu: apt-get install "
            "libpango-1.0-0 libpangoft2-1.0-0"
        ) from problem
    html = render_to_string(template, {"company": company(), "logo": logo(), **context})
    return weasyprint.HTML(string=html, url_fetcher=_fetch_nothing).write_pdf()  # type: ignore[no-any-return]


def _fetch_nothing(url: str, *args: Any, **kwargs: Any) -> Any:
    if url.startswith("data:"):  # what stands on the page itself, such as the logo
        import weasyprint

        return weasyprint.default_url_fetcher(url, *args, **kwargs)
    raise ValueError(f"A paper fetches nothing; {url} was asked for.")
