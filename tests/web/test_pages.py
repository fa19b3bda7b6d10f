"""No page is forgotten: each address that answers a GET is looked at by axe-core, or it is said why not.

Without a browser: the addresses come from the resolvers, and which page is which address's from resolving its path.
"""

import inspect
import re
import string
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.urls import resolve

from config.local.folders import ROOT
from tests.isolation import addresses
from tests.isolation.addresses import API, CONSOLE_URLS, TENANT_URLS
from tests.isolation.test_permissions import views
from tests.web import pages, props
from tests.web.pages import NOBODY, PAGES, Page
from tests.web.screenshots import KINDS as KINDS_OF_PICTURES
from tests.web.stage import PEOPLE

ID = UUID("12345678-1234-4234-8234-123456789012")
BY_DAY_AND_NIGHT = re.compile(r"\b(violations_by_day_and_night|violations_in_every_size)\(")
# Both kinds of host have the addresses of everybody, with the same pages: they are looked at on one of the two.
KINDS = {
    "everybody's": (TENANT_URLS, set(addresses.EVERY_HOST), pages.NOT_EVERYBODYS),
    "a municipality's": (
        TENANT_URLS,
        set(addresses.OF_MUNICIPALITIES) - set(addresses.EVERY_HOST),
        pages.NOT_A_MUNICIPALITYS,
    ),
    "the console's": (CONSOLE_URLS, set(addresses.OF_THE_CONSOLE) - set(addresses.EVERY_HOST), pages.NOT_THE_CONSOLES),
}


def takes_a_get(view: Any) -> bool:
    """Return whether a view, or what is wrapped around it, lets a GET in."""
    while inspect.isfunction(view):
        methods = inspect.getclosurevars(view).nonlocals.get("request_method_list", ["GET"])
        if "GET" not in methods:
            return False
        view = getattr(view, "__wrapped__", None)
    return True


def pages_of(urlconf: str, routes: set[str]) -> Iterator[str]:
    """Return every address of these that may answer with a page."""
    tables = {TENANT_URLS: addresses.OF_MUNICIPALITIES, CONSOLE_URLS: addresses.OF_THE_CONSOLE}
    for route, view in views(urlconf).items():
        if route in routes and tables[urlconf][route].door != API and takes_a_get(view):
            yield route


def route_of(page: Page) -> str | None:
    """Return the address of a page, resolved with any ids in its path; None: there is none, which is a page too."""
    filled = "".join(
        text + ("" if name is None else "1" if spec == "d" else "c9x0ab/0123-abcd" if name == "forgotten" else str(ID))
        for text, name, spec, _ in string.Formatter().parse(page.path)
    )
    host = TENANT_URLS if page.word == NOBODY or PEOPLE[page.word][0] != "public" else CONSOLE_URLS
    return None if page.name == "not-found" else resolve(filled.split("?")[0], urlconf=host).route


@pytest.mark.parametrize("kind", KINDS)
def test_each_page_is_before_axe_or_it_is_said_why_not(kind):
    urlconf, routes, elsewhere = KINDS[kind]
    is_console = urlconf == CONSOLE_URLS
    seen = {
        route_of(page)
        for page in PAGES
        if kind == "everybody's" or (page.word in PEOPLE and PEOPLE[page.word][0] == "public") is is_console
    }
    there = set(pages_of(urlconf, routes))
    missing = there - seen - set(elsewhere)
    assert not missing, (
        f"{sorted(missing)} of {kind} are new: enter each in tests/web/pages.py among PAGES, so that axe-core looks at"
        " it and it is pictured, or among the others with the reason why not"
    )
    assert set(elsewhere) <= there, "these are no pages any more"
    assert not seen & set(elsewhere), "these are before axe"


def test_a_test_that_is_named_puts_pages_before_axe_by_day_and_night():
    named = {
        reason for _, _, elsewhere in KINDS.values() for reason in elsewhere.values() if reason.startswith("tests/")
    }
    assert named
    for name in sorted(named):
        assert BY_DAY_AND_NIGHT.search((ROOT / name).read_text()), name


def test_each_page_has_a_name_of_its_own_and_what_its_path_names_is_known():
    names = [page.name for page in PAGES]
    assert len(names) == len(set(names))
    for page in PAGES:
        assert page.word == NOBODY or page.word in PEOPLE, page.name
        fields = {name for _, name, _, _ in string.Formatter().parse(page.path) if name}
        assert fields <= set(pages.ROWS) | props.MADE, page.name


def test_each_picture_that_a_document_shows_is_of_a_page_and_is_taken():
    documents = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    shown = {name for each in documents for name in re.findall(r"screenshots/([\w-]+)\.png", each.read_text())}
    taken = {
        f"{page.name}{suffix}"
        for suffix, (only, _, _) in KINDS_OF_PICTURES.items()
        for page in PAGES
        if not only or page.name in only
    }
    assert shown
    assert shown <= taken
