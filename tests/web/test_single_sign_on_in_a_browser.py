"""Signing in by a municipality's own provider in a real browser, from setting it up to the day that it is down."""

import pytest
from playwright.sync_api import expect

from tests.accounts.oidc_provider import CLIENT_ID, CLIENT_SECRET, entra, provider
from tests.web.stage import PASSWORD, WIDE, violations_in_every_size

GROUP = "0b9c7f54-7d4e-4a53-9f0b-7f3b6a1c2d01"


@pytest.fixture
def browsers(opened):
    """Return what opens a browser with nobody signed in; what its pages complain about fails the test."""
    made, complaints = [], []

    def new(size=WIDE):
        context = opened.new_context(viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce")
        context.set_default_timeout(20_000)
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        context.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
        made.append(context)
        return context

    yield new
    for context in made:
        context.close()
    assert complaints == []


def test_people_come_by_the_provider_and_the_local_admin_when_it_is_down(browsers, played):
    with provider() as idp:
        idp.people = {
            "kim": entra("S-kim", email="kim@utrecht.example", name="Kim via Entra", groups=[GROUP]),
            "niemand": entra("S-niemand", email="niemand@utrecht.example", name="Niemand", groups=[]),
        }
        page = played.sign_in(browsers(), "admin")
        set_up(page, idp)

        visitor = browsers().new_page()
        visitor.goto(played.url("agent", "/unreached/"))
        assert violations_in_every_size(visitor) == []
        visitor.get_by_role("link", name="Inloggen met uw account van Utrecht").click()
        expect(visitor.get_by_role("heading", level=1)).to_have_text("Kies een account")  # followed to another host
        visitor.get_by_role("link", name="kim").click()
        visitor.wait_for_url("**/unreached/")
        visitor.goto(played.url("agent", "/account/"))
        expect(visitor.get_by_text("Kim via Entra").first).to_be_visible()
        expect(visitor.get_by_text("Gekoppeld: u logt ermee in.")).to_be_visible()

        other = browsers().new_page()
        other.goto(played.url("agent"))
        other.get_by_role("link", name="Inloggen met uw account van Utrecht").click()
        other.get_by_role("link", name="niemand").click()
        expect(other.get_by_role("heading", level=1)).to_have_text("U bent niet ingelogd")
        assert violations_in_every_size(other) == []

    # The provider is down now; that can be seen, and settings can be changed.
    page.get_by_label("Anderen die hier een wachtwoord hebben").uncheck()
    page.get_by_role("button", name="Opslaan").click()
    expect(page.get_by_text("Opgeslagen.")).to_be_visible()
    other.get_by_role("link", name="Terug naar inloggen").click()
    other.get_by_role("link", name="Inloggen met uw account van Utrecht").click()
    expect(other.get_by_text("werkt op dit moment niet")).to_be_visible()
    other.get_by_role("link", name="Terug naar inloggen").click()
    enter(other, "purse")
    expect(other.get_by_role("alert")).to_be_visible()  # others have no password any more
    enter(other, "admin")
    other.wait_for_url("**/sign-in/second-step/")
    played.give_code(other, "admin")
    expect(other.get_by_role("navigation").first).to_contain_text("Gebruikers")
    other.goto(played.url("admin", "/single-sign-on/"))
    other.get_by_label("Mensen kunnen inloggen met het account van de gemeente").uncheck()
    other.get_by_role("button", name="Opslaan").click()
    expect(other.get_by_text("staat uit")).to_be_visible()


def set_up(page, idp):
    """Have the admin try an address that is wrong, then turn the provider on."""
    page.get_by_text("Instellingen", exact=True).click()
    page.get_by_role("link", name="Eenmalig inloggen").click()
    page.get_by_label("Issuer").fill(f"{idp.issuer}/anders")
    page.get_by_role("button", name="Dit adres proberen").click()
    expect(page.get_by_text("geen document van OpenID Connect")).to_be_visible()
    assert violations_in_every_size(page) == []
    page.get_by_label("Issuer").fill(idp.issuer)
    page.get_by_role("button", name="Dit adres proberen").click()
    expect(page.get_by_text("De inlogdienst antwoordt")).to_be_visible()
    page.get_by_label("Client-id").fill(CLIENT_ID)
    page.get_by_label("Clientgeheim").fill(CLIENT_SECRET)
    page.get_by_label("Medewerker", exact=True).fill(GROUP)
    page.get_by_label("Beheerder voor de dag").select_option(label="Bea Beheer (admin@voorbeeld.example)")
    page.get_by_label("Mensen kunnen inloggen met het account van de gemeente").check()
    page.get_by_role("button", name="Opslaan").click()
    expect(page.get_by_text("Opgeslagen.")).to_be_visible()
    expect(page.get_by_text("blijft Bea Beheer altijd")).to_be_visible()
    assert violations_in_every_size(page) == []


def enter(page, word):
    """Sign in with a password, where the form lies folded."""
    fold = page.locator("details:not([open]) > summary")
    if fold.count():
        fold.click()
    page.get_by_label("E-mail").fill(f"{word}@voorbeeld.example")
    page.get_by_label("Wachtwoord").fill(PASSWORD)
    page.get_by_role("button", name="Inloggen", exact=True).click()
    page.wait_for_load_state()
