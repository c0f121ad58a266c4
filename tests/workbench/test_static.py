import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.template.loader import get_template
from django.test import RequestFactory

pytestmark = pytest.mark.no_database
ROOT = Path(__file__).resolve().parents[2]
OURS = [
    path
    for folder in ("components", "registration", "workbench")
    for path in (ROOT / "templates" / folder).glob("*.html")
] + list((ROOT / "templates").glob("*.html"))


def test_third_party_files_are_what_the_manifest_says():
    checked = subprocess.run(
        [sys.executable, ROOT / "scripts" / "vendor.py", "--check"], capture_output=True, text=True
    )

    assert (checked.returncode, checked.stdout) == (0, "static/vendor/ is what the manifest says\n")


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_pages_hold_no_inline_style_or_script(path):
    """The content policy allows neither."""
    text = path.read_text()

    assert not re.search(r"\sstyle=|<style|\son\w+=\"|javascript:", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)


def test_no_template_holds_both_sides_of_a_merge():
    torn = [
        path.name
        for path in (ROOT / "templates").rglob("*.html")
        if re.search(r"^(<{7}|={7}|>{7})", path.read_text(), re.M)
    ]

    assert torn == []


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_every_class_of_ours_has_its_prefix(path):
    """Tabler's and Bootstrap's rules would catch a plain name."""
    found = set()
    for value in re.findall(r'class="([^"]*)"', re.sub(r"{[{%].*?[%}]}", " ", path.read_text())):
        found |= {name for name in value.split() if not name.startswith(("sc-", "c-"))}

    assert found == set()


def test_every_class_used_in_a_page_is_drawn_or_found_by_a_script():
    drawn = finders.find("app.css")
    css = Path(drawn).read_text() + Path(finders.find("app.js")).read_text()
    used = set()
    for path in OURS:
        for value in re.findall(r'class="([^"]*)"', re.sub(r"{[{%].*?[%}]}", " ", path.read_text())):
            used |= {name for name in value.split() if name.startswith("sc-") and not name.endswith("-")}

    unknown = {name for name in used if f".{name}" not in css}

    assert unknown <= {"sc-edge", "sc-swap"}


@pytest.mark.parametrize("code", ["400", "403", "404", "500"])
def test_error_pages_need_no_session_and_lead_back(code):
    page = get_template(f"{code}.html").render({}, RequestFactory().get("/") if code != "500" else None)

    assert f">{code}<" in page
    assert 'href="/"' in page
