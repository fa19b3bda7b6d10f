"""Who must have a second step gets no further without one: at no address, with no session, by no door."""

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django_tenants.utils import schema_context

from accounts import strength
from accounts.making import make_user, set_up_app
from accounts.models import RoleGrant, User
from audit.record import Actor
from config.local.sign_ins import code
from tests.isolation import addresses
from tests.isolation.addresses import OPEN, PAGE, parameters
from tests.messaging import meta
from tests.web.conftest import HOSTS, PASSWORD
from tests.web.test_own_account import set_up

NOWHERE = "/account/second-step/"
SETTING_UP = {"account/second-step/", "account/app/", "account/passkeys/"}
PROVING = {"account/second-step/", "account/confirm/", "account/confirm/code/", "account/confirm/passkey/"}


def newcomer(schema: str, role: str, *, email: str = "nieuw@utrecht.example") -> Client:
    """Return a browser in which somebody signed in with a password alone."""
    with schema_context("public"):
        made = make_user(
            schema_name=schema,
            email=email,
            name="Nieuw",
            roles=[role],
            password=PASSWORD,
            actor=Actor.system("tests"),
            at=meta.RECEIVED_AT,
        )
    assert made.created
    client = Client(headers={"host": HOSTS[schema]})
    assert client.post("/sign-in/", {"login": email, "password": PASSWORD}).status_code == 302
    return client


def open_pages(client: Client, table) -> set[str]:
    """Return the pages without parameters that are answered otherwise than by the way to the second step."""
    found = set()
    for route, known in table.items():
        if known.door != PAGE or parameters(route):
            continue
        for method in ("get", "post"):
            answer = getattr(client, method)(f"/{route}")
            if answer.status_code != 405 and not (answer.status_code == 302 and answer.url == NOWHERE):
                found.add(route)
    return found


@pytest.fixture(autouse=True)
def _uncounted(utrecht, delft) -> None:
    cache.clear()


@pytest.mark.parametrize(
    ("schema", "role"), [("utrecht", "ADMIN"), ("public", "BSP_SUPPORT"), ("public", "BSP_OPERATOR")]
)
def test_who_must_have_one_is_led_to_setting_it_up_and_nowhere_else(schema, role):
    client = newcomer(schema, role)
    table = addresses.OF_THE_CONSOLE if schema == "public" else addresses.OF_MUNICIPALITIES
    assert open_pages(client, table) == SETTING_UP | PROVING
    page = client.get("/", follow=True)
    assert page.redirect_chain == [(NOWHERE, 302)]
    assert "frame-nav" not in page.content.decode(), "no navigation to what is closed"


def test_what_is_open_to_everyone_stays_so(utrecht):
    client = newcomer("utrecht", "ADMIN")
    for route in (route for route, known in addresses.EVERY_HOST.items() if known.door == OPEN):
        if not parameters(route) and route != "sign-out/":
            assert client.get(f"/{route}").headers.get("Location") != NOWHERE, route
    assert client.post("/language/", {"language": "en", "next": "/"}).url == "/"
    assert client.post("/sign-out/").url == "/"


def test_setting_it_up_opens_the_pages(utrecht):
    client = newcomer("utrecht", "ADMIN")
    set_up(client)
    assert client.get("/numbers/").status_code == 200


def test_scripts_and_live_doors_are_answered_as_if_nobody_asked(utrecht, thread):
    with schema_context("utrecht"), transaction.atomic():
        strength.choose_for_all(required=True)
    client = newcomer("utrecht", "AGENT")
    for path in ("/live/inbox/", f"/live/threads/{thread.id}/"):
        assert client.get(path, headers={"Accept": "text/event-stream"}).status_code == 401
        assert client.get(path).url == NOWHERE
    assert client.get("/inbox/", headers={"HX-Request": "true"}).status_code == 401


def test_without_the_municipalitys_choice_an_agent_needs_none(utrecht):
    assert newcomer("utrecht", "AGENT").get("/inbox/").status_code == 200


def test_the_choice_counts_at_once_also_for_who_is_signed_in_and_in_no_other_municipality(utrecht):
    client, elsewhere = newcomer("utrecht", "AGENT"), newcomer("delft", "AGENT")
    with schema_context("utrecht"), transaction.atomic():
        assert strength.choose_for_all(required=True)
        assert not strength.choose_for_all(required=True), "it was chosen already"
    assert client.get("/inbox/").url == NOWHERE
    assert elsewhere.get("/inbox/").status_code == 200
    with schema_context("utrecht"), transaction.atomic():
        strength.choose_for_all(required=False)
    assert client.get("/inbox/").status_code == 200


def test_who_becomes_an_admin_needs_one_at_once(utrecht):
    client = newcomer("utrecht", "AGENT")
    with schema_context("utrecht"):
        RoleGrant.objects.create(user=User.objects.get(email="nieuw@utrecht.example"), role="ADMIN")
    assert client.get("/inbox/").url == NOWHERE


class TestASessionThatGaveNone:
    @pytest.fixture
    def weak(self, utrecht) -> tuple[Client, str]:
        """Return a browser that signed in with a password alone before the second step was set up, and its secret."""
        client = newcomer("utrecht", "ADMIN")
        with schema_context("utrecht"):
            user = User.objects.get(email="nieuw@utrecht.example")
        return client, set_up_app(schema_name="utrecht", user=user)

    def test_it_opens_nothing_but_giving_it(self, weak):
        client, _ = weak
        assert open_pages(client, addresses.OF_MUNICIPALITIES) == PROVING
        assert client.get(NOWHERE).url == "/account/confirm/code/"

    def test_its_password_is_not_enough(self, weak):
        client, _ = weak
        assert client.post("/account/confirm/", {"password": PASSWORD, "next": "/numbers/"}).status_code == 302
        assert client.get("/numbers/").url == NOWHERE
        assert client.get("/account/passkeys/").url == NOWHERE, "nor does it add a passkey of somebody else's"

    def test_the_code_opens_the_pages(self, weak):
        client, secret = weak
        answer = client.post("/account/confirm/code/", {"code": code(secret=secret), "next": "/numbers/"})
        assert answer.url == "/numbers/"
        assert client.get("/numbers/").status_code == 200


class TestRemoving:
    def test_who_must_have_one_keeps_the_last(self, people):
        client = people("utrecht", "ADMIN")
        page = client.post("/account/app/remove/")
        assert page.status_code == 200
        assert 'role="alert"' in page.content.decode()
        with schema_context("utrecht"):
            assert Authenticator.objects.filter(type="totp").exists()

    def test_a_step_that_is_gone_is_owed_again(self, people):
        client = people("utrecht", "ADMIN")
        with schema_context("utrecht"):
            Authenticator.objects.all().delete()
        assert client.get("/numbers/").url == NOWHERE
