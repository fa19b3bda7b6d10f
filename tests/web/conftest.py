"""People who are signed in at Utrecht, at Delft and at the console, and something for them to see."""

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django_tenants.utils import schema_context

from accounts import strength
from accounts.making import make_user, set_up_app
from audit.record import Actor
from config.local import testing
from config.local.sign_ins import code
from messaging.models import Template, Thread
from tests.messaging import meta
from tests.web.stage import browser, find_chromium, launched, stage

PASSWORD = "een-lang-wachtwoord-1"
HOSTS = {"utrecht": "utrecht.localhost", "delft": "delft.localhost", "public": "console.localhost"}


# On the platform that all tests in a browser share: it takes the month that others look at to its end.
LAST_IN_A_BROWSER = "test_finance_in_a_browser.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put last what leaves nothing of its kind to look at."""
    items.sort(key=lambda item: item.path.name == LAST_IN_A_BROWSER)


def sign_in(*, schema: str, role: str) -> Client:
    """Return a browser in which somebody of this role has signed in by the form; with an app who must have one."""
    email = f"{role.lower()}@{schema}.example"
    with schema_context("public"):
        made = make_user(
            schema_name=schema,
            email=email,
            name=f"{role.title()} van {schema}",
            roles=[role],
            password=PASSWORD,
            actor=Actor.system("tests"),
            at=meta.RECEIVED_AT,
        )
    client = Client(headers={"host": HOSTS[schema]})
    with schema_context(schema):
        secret = set_up_app(schema_name=schema, user=made.user) if strength.is_required(user=made.user) else ""
    answer = client.post("/sign-in/", {"login": email, "password": PASSWORD})
    assert answer.status_code == 302, answer.content
    if secret:
        assert answer.url == "/sign-in/second-step/"
        step = answer.url
        answer = client.post(step, {"code": code(secret=secret)})
        if answer.status_code == 200:  # half a minute was over between the two
            answer = client.post(step, {"code": code(secret=secret)})
        assert answer.status_code == 302, answer.content
    return client


@pytest.fixture(autouse=True)
def _quick_passwords(settings) -> None:
    """Hash passwords in no time."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def people(utrecht, delft) -> Iterator[Callable[..., Client]]:
    """Return what signs somebody in; each role once."""
    from django.core.cache import cache
    from django.db import connection

    cache.clear()
    made: dict[tuple[str, str], Client] = {}

    def person(schema: str, role: str) -> Client:
        if (schema, role) not in made:
            made[schema, role] = sign_in(schema=schema, role=role)
        return made[schema, role]

    yield person
    connection.set_schema_to_public()


@pytest.fixture
def thread(utrecht, clock) -> Thread:
    """Return the open thread of a citizen who wrote to Utrecht ten minutes ago."""
    with schema_context("utrecht"):
        at = clock.now() - timedelta(minutes=10)
        meta.receive(utrecht, meta.message(utrecht, at=at, text="Is mijn vergunning klaar?"))
        return Thread.objects.get()


@pytest.fixture
def approved(utrecht) -> Template:
    """Return an approved template of Utrecht's."""
    with schema_context("utrecht"):
        template = Template.objects.get(name="vervolg_op_uw_vraag")
        template.status = Template.Status.APPROVED
        template.save()
        return template


@pytest.fixture(scope="package")
def played():
    """Return a running platform with something on every page; all tests in a browser share it."""
    folder = Path(os.environ[testing.RUN_FOLDER]) / f"live-web-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    with stage(folder) as made:
        yield made


@pytest.fixture(scope="module")
def opened():
    """Return a browser; where there is none the test is skipped, but in continuous integration it fails.

    Closed with its module: while it is open a loop runs in this thread, and no other test could run one.
    """
    if find_chromium() is None and not os.environ.get("CI"):
        pytest.skip("needs Chromium (on Debian: apt install chromium)")
    with browser() as made:
        yield made


@pytest.fixture
def in_windows(opened):
    """Return a browser that shows messages of its own: one with windows."""
    chromium = find_chromium(in_windows=True)
    if chromium is None and not os.environ.get("CI"):
        pytest.skip("needs a Chromium with windows (on Debian: apt install chromium)")
    assert chromium, "messages of the browser need a Chromium with windows"
    with launched(opened.browser_type, chromium) as made:
        yield made
