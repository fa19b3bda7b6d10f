"""From an invitation to the first page, in a real browser: with an app, with a passkey, with what is left when both are
lost; and who guesses is locked out."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.web.joining import OWED, WORDS, accept, keep_codes, link_in_mail, set_up_app
from tests.web.stage import PASSWORD, WIDE, Stage, violations_in_every_size


@pytest.fixture
def contexts(opened) -> Iterator[list[BrowserContext]]:
    """Return where browsers go that are closed after the test."""
    made: list[BrowserContext] = []
    yield made
    for context in made:
        context.close()


@pytest.fixture
def another(opened, contexts):
    """Return what opens a new browser with nobody signed in."""

    def make() -> BrowserContext:
        context = opened.new_context(viewport={"width": WIDE[0], "height": WIDE[1]}, reduced_motion="reduce")
        context.set_default_timeout(20_000)
        contexts.append(context)
        return context

    return make


def invite(played: Stage, context: BrowserContext, *, email: str, role: str) -> str:
    """Have the admin invite somebody on the pages; return the link in the mail that a worker sends."""
    admin = played.sign_in(context, "admin")
    admin.goto(played.url("admin", "/users/"))
    admin.get_by_role("link", name="Iemand uitnodigen").click()
    admin.get_by_label("E-mailadres").fill(email)
    admin.get_by_label("Naam").fill("Nel Nieuw")
    admin.get_by_label(role).check()
    admin.get_by_role("button", name="Uitnodiging verzenden").click()
    expect(admin.get_by_role("heading", level=1)).to_have_text("Nel Nieuw")
    link = link_in_mail(admin, mailbox=played.url("admin", "/mail/"), email=email)
    admin.goto(played.url("admin", "/users/"))
    expect(admin.get_by_role("row", name=email)).to_contain_text("Uitgenodigd")
    return link


def give_password(page: Page, played: Stage, email: str, password: str = WORDS) -> None:
    page.goto(played.url("admin", "/sign-in/"))
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Wachtwoord").fill(password)
    page.get_by_role("button", name="Inloggen", exact=True).click()


def test_from_an_invitation_to_the_first_sign_in_with_an_app_and_with_a_recovery_code(played, another):
    email = "app@voorbeeld.example"
    link = invite(played, another(), email=email, role="Beheerder")
    page = another().new_page()
    accept(page, link)
    page.wait_for_url(OWED)
    page.goto(played.url("admin", "/users/"))
    page.wait_for_url(OWED)
    codes = set_up_app(page)
    page.goto(played.url("admin", "/users/"))
    expect(page.get_by_role("row", name=email)).to_contain_text("App met codes")

    page = another().new_page()
    give_password(page, played, email)
    page.wait_for_url("**/sign-in/second-step/")
    page.goto(played.url("admin", "/users/"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Tweede stap")  # nothing opens halfway
    page.get_by_label("Code", exact=True).fill(codes[0])
    page.get_by_role("button", name="Verder").click()
    page.wait_for_url(lambda url: "/sign-in/" not in url)
    page.goto(played.url("admin", "/account/"))
    expect(page.get_by_text("Codes over: 9")).to_be_visible()

    page = another().new_page()
    page.goto(link)
    expect(page.get_by_role("heading", level=1)).to_have_text("Deze uitnodiging werkt niet meer")


def test_from_an_invitation_to_the_first_sign_in_with_a_passkey(played, another):
    email = "passkey@voorbeeld.example"
    link = invite(played, another(), email=email, role="Beheerder")
    page = another().new_page()
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    device = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": device})
    accept(page, link)
    page.wait_for_url(OWED)
    page.get_by_role("link", name="Passkey toevoegen").click()
    page.get_by_label("Een naam waaraan u hem herkent").fill("Deze laptop")
    page.get_by_role("button", name="Toevoegen").click()
    keep_codes(page)
    page.goto(played.url("admin", "/users/"))
    expect(page.get_by_role("row", name=email)).to_contain_text("Passkey")
    page.get_by_role("button", name="Uitloggen").click()

    page.goto(played.url("admin", "/sign-in/"))
    page.get_by_role("button", name="Inloggen met een passkey").click()
    page.wait_for_url(lambda url: "/sign-in/" not in url)
    page.goto(played.url("admin", "/users/"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Gebruikers")


def test_axe_finds_nothing_on_the_way_in(played, another):
    link = invite(played, another(), email="axe@voorbeeld.example", role="Beheerder")
    page = another().new_page()
    found = {}
    page.goto(link)
    found["form"] = violations_in_every_size(page)
    page.get_by_role("button", name="Verder").click()
    page.get_by_label("Nieuw wachtwoord", exact=True).fill("123456789012345")
    page.get_by_label("Nieuw wachtwoord, nog een keer").fill("anders-dan-dat")
    page.get_by_role("button", name="Verder").click()
    expect(page.get_by_role("alert")).to_be_visible()
    found["form with errors"] = violations_in_every_size(page)
    accept(page, link)
    page.wait_for_url(OWED)
    found["second step to set up"] = violations_in_every_size(page)
    halfway = another().new_page()
    give_password(halfway, played, "admin@voorbeeld.example", PASSWORD)
    halfway.wait_for_url("**/sign-in/second-step/")
    found["second step"] = violations_in_every_size(halfway)
    # Who tries one link after another is stopped: at Delft, where nobody else comes in.
    guesser, delft = another().new_page(), f"http://delft.localhost:{played.live.instance.web_port}"
    guesser.goto(f"{delft}/sign-in/")
    guesser.evaluate("() => Promise.all([...Array(20).keys()].map(each => fetch(`/invitation/geraden-${each}/`)))")
    stopped = guesser.goto(f"{delft}/invitation/geraden/")
    assert stopped is not None
    assert stopped.status == 429
    expect(guesser.get_by_role("heading", level=1)).to_have_text("Te veel pogingen")
    found["too many attempts"] = violations_in_every_size(guesser)
    assert {name: each for name, each in found.items() if each} == {}


def test_axe_finds_nothing_on_a_list_of_people_right_or_wrong(played, another):
    page = played.sign_in(another(), "admin")
    found = []
    for lines in ("a@voorbeeld.example;An;AGENT", "geen adres;;KEIZER"):
        page.goto(played.url("admin", "/users/invite/many/"))
        page.get_by_label("Of de lijst zelf").fill(f"email;name;roles\n{lines}\n")
        page.get_by_role("button", name="Lijst controleren").click()
        page.wait_for_load_state()
        found += violations_in_every_size(page)
    assert found == []


def test_who_guesses_is_locked_out_and_the_right_password_too(played, another):
    page = another().new_page()
    for attempt in range(5):
        give_password(page, played, "guessed@voorbeeld.example", f"geraden-{attempt}")
        expect(page.get_by_role("alert").first).to_be_visible()
    give_password(page, played, "guessed@voorbeeld.example", "een-lang-wachtwoord-1")
    expect(page.get_by_text(re.compile("Te veel"))).to_be_visible()
    page.goto(played.url("guessed", "/"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Inloggen")
