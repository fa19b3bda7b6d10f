"""The page on which a municipal admin sets up signing in by the municipality's provider."""

import pytest
from django_tenants.utils import schema_context

from accounts.models import SignOn, User
from audit.models import Entry
from tests.accounts.oidc_provider import CLIENT_ID, CLIENT_SECRET, provider

PATH = "/single-sign-on/"


@pytest.fixture
def admin(people):
    return people("utrecht", "ADMIN")


def filled(address, **more):
    with schema_context("utrecht"):
        local_admin = str(User.objects.get(email="admin@utrecht.example").id)
    values = {
        "issuer": address,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "groups_claim": "groups",
        "groups-AGENT": "kcc\r\n\r\n  balie  \r\nkcc",
        "second_step": "CLAIMED",
        "local_admin": local_admin,
        "is_on": "on",
    }
    return {**values, **more}


def test_it_turns_a_provider_on_and_shows_everything_but_the_secret(admin):
    with provider() as idp:
        answer = admin.post(PATH, filled(idp.issuer), follow=True)
        page = answer.content.decode()
        assert "Opgeslagen." in page
        assert idp.issuer in page
        assert "balie\nkcc</textarea>" in page
        assert "http://utrecht.localhost/sign-in/provider/back/" in page
        assert CLIENT_SECRET not in page
    with schema_context("utrecht"):
        found = SignOn.objects.get()
        assert (found.is_on, found.passwords_open, found.second_step) == (True, False, "CLAIMED")
        (entry,) = Entry.objects.filter(action="sign_on.change")
        assert entry.details["is_on"] is True


def test_what_is_wrong_is_said_beside_its_field_and_nothing_typed_is_lost(admin):
    answer = admin.post(PATH, filled("http://127.0.0.1:1/weg", local_admin=""))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'id="local_admin-error"' in page
    assert 'value="http://127.0.0.1:1/weg"' in page
    assert "balie" in page
    with schema_context("utrecht"):
        assert not SignOn.objects.exists()


def test_trying_an_address_changes_nothing_and_says_what_is_wrong(admin):
    with provider() as idp:
        good = admin.post(PATH, filled(idp.issuer, step="test"))
        idp.faults["document"] = {"issuer": "https://elders.example"}
        bad = admin.post(PATH, filled(idp.issuer, step="test"))
    assert good.status_code == 200
    assert "De inlogdienst antwoordt" in good.content.decode()
    assert bad.status_code == 422
    assert "noemt zichzelf anders" in bad.content.decode()
    with schema_context("utrecht"):
        assert not SignOn.objects.exists()


@pytest.mark.parametrize(
    "odd", [{"issuer": "x\x00y"}, {"local_admin": "\x00"}, {"groups-AGENT": "\x00"}, {"is_on": "ja"}]
)
def test_odd_input_does_no_harm(admin, odd):
    assert admin.post(PATH, filled("http://127.0.0.1:1", **odd)).status_code in {302, 422}
