"""All that one conversation may ask of agents, in two real browsers: each sees what the other or the citizen did."""

import re
from contextlib import contextmanager
from datetime import datetime

import pytest
from playwright.sync_api import expect

from tests.web.desks import at_desks, open_conversation
from tests.web.pages import NUMBER
from tests.web.stage import AMSTERDAM, violations

NOOR = {"phone": "+31697000021", "name": "Noor Bakker"}
CHOSEN = ("closedanswer", "privacynotice", "specialday", "openperiod", "office")  # tables of what the admin chooses


@pytest.fixture
def desks(opened, played):
    """Return the pages of an agent and of a supervisor, each in a browser of their own."""
    with at_desks(opened, played) as made:
        yield made


def _say(played, **message) -> str:
    """Have Noor write, or say something of what she wrote; return Meta's id of it."""
    update = {"phone_number_id": NUMBER, "citizen": NOOR, "message": message}
    return played.live.post("inbound", {"updates": [update], "wait": True})["wamids"][0]


@contextmanager
def _closed_today(opened, played):
    """Have the admin say that it is closed today, and what citizens are told then; the block's end takes it back."""
    context = opened.new_context()
    admin = played.sign_in(context, "admin")
    try:
        admin.goto(played.url("admin", "/opening-hours/"))
        admin.get_by_role("button", name="Tijden en feestdagen opslaan").click()
        admin.get_by_label("Datum").fill(f"{datetime.now(AMSTERDAM):%Y-%m-%d}")
        admin.get_by_label("Wat voor dag het is").fill("Verhuizing")
        admin.get_by_role("button", name="Dag toevoegen").click()
        expect(admin.get_by_role("row", name=re.compile("Verhuizing"))).to_contain_text("Hele dag gesloten")
        admin.goto(played.url("admin", "/privacy-notice/"))
        admin.get_by_label("Adres van uw privacypagina").fill("https://utrecht.example/privacy")
        admin.get_by_label("Informeel: je").check()
        admin.get_by_role("button", name="Opslaan").click()
        expect(admin.locator(".quoted")).to_contain_text("Je chat met")
        admin.goto(played.url("admin", "/closed-answer/"))
        admin.get_by_label("Beantwoord inwoners terwijl wij gesloten zijn").check()
        admin.get_by_role("button", name="Opslaan").click()
        expect(admin.get_by_text("Het is opgeslagen.")).to_be_visible()
        yield
    finally:
        context.close()
        for table in CHOSEN:
            played.live.ask(f"DELETE FROM {{s}}.messaging_{table} RETURNING id", schema="utrecht")


def _key(page, key: str) -> None:
    page.locator("h1").click()
    page.keyboard.press(key)


def test_a_conversation_from_its_first_message_while_closed_to_the_next_one(desks, opened, played):
    mine, theirs = desks
    # Closed, and never written to before: she is told both, once, and still waits for a person.
    with _closed_today(opened, played):
        asked = _say(played, type="text", text={"body": "Wanneer wordt het oud papier opgehaald?"})
        for page in desks:
            open_conversation(page, NOOR["name"])
            told = page.locator(".message--ours").first
            expect(told).to_contain_text("We zijn nu gesloten")
            expect(told).to_contain_text("https://utrecht.example/privacy")
            expect(told).to_contain_text("Verstuurd door het systeem")
    # By keys alone: a label, and the number of a case.
    _key(mine, "l")
    mine.keyboard.press("Space")
    mine.keyboard.press("Enter")
    expect(theirs.locator("#desk-now")).to_contain_text("Klacht")
    expect(mine.locator("#desk-now")).to_contain_text("Klacht")
    _key(mine, "z")
    mine.keyboard.type("Z-2026-1")
    mine.keyboard.press("Enter")
    expect(theirs.locator("#desk-now")).to_contain_text("Zaak Z-2026-1")
    # What she says of what she wrote.
    mistake = _say(played, type="text", text={"body": "Vergissing"})
    text = {"type": "text", "text": {"body": "Wanneer komt het oud papier?"}}
    _say(played, type="reaction", reaction={"message_id": asked, "emoji": "👍"})
    _say(played, type="edit", edit={"original_message_id": asked, "message": text})
    _say(played, type="revoke", revoke={"original_message_id": mistake})
    for page in desks:
        for said in ("👍", "Wanneer komt het oud papier?", "Bewerkt", "Bericht ingetrokken door de inwoner"):
            expect(page.locator("#messages")).to_contain_text(said)
    # A number that does not belong here is masked, and answered with the safe route.
    _say(played, type="text", text={"body": "Mijn rekening is NL91ABNA0417164300"})
    expect(mine.locator("#messages")).to_contain_text("NL••••••••••••••00")
    mine.get_by_role("link", name="Bied de veilige weg aan").click()
    expect(mine.get_by_label("Uw antwoord")).to_have_value(re.compile("Log in met DigiD"))
    mine.get_by_role("button", name="Verzenden").click()
    for page in desks:
        expect(page.locator(".message--ours", has_text="Log in met DigiD")).to_be_visible()
        expect(page.locator("#messages")).not_to_contain_text("NL91ABNA0417164300")
    # A list, of which she chooses; it quotes what she wrote last.
    _key(mine, "q")
    expect(mine.locator(".quoting")).to_contain_text("Mijn rekening is NL••")
    mine.get_by_label("Uw antwoord").fill("Waarover gaat het?")
    _key(mine, "b")
    mine.get_by_label("Wat op de knop ervan staat").fill("Kies")
    mine.get_by_label(re.compile("Eén keuze per regel")).fill("Oud papier | aan huis\nGlas")
    mine.get_by_label("Uw antwoord").press("Control+Enter")
    for page in desks:
        expect(page.locator(".message--ours", has_text="Glas")).to_be_visible()
    _say(played, type="interactive", interactive={"type": "list_reply", "list_reply": {"id": "2", "title": "Glas"}})
    for page in desks:
        expect(page.locator(".message--theirs", has_text="Glas")).to_be_visible()
        assert violations(page) == []
    _one_is_uncertain(mine, theirs, played)
    # To a team, closed with a reason; when she writes again a new conversation opens, which leads to this one.
    _key(mine, "p")
    mine.get_by_label("Burgerzaken").check()
    mine.get_by_role("button", name="Overdragen").click()
    expect(theirs.locator("#desk-now")).to_contain_text("Team Burgerzaken")
    _key(mine, "x")
    mine.get_by_label("De vraag is beantwoord").check()
    mine.get_by_role("button", name="Gesprek sluiten").click()
    expect(theirs.locator("#desk-now")).to_contain_text("De vraag is beantwoord")
    _say(played, type="text", text={"body": "Nog één vraag."})
    open_conversation(theirs, NOOR["name"])
    expect(theirs.locator("#messages")).to_contain_text("Nog één vraag.")
    expect(theirs.locator("#messages")).not_to_contain_text("Glas")
    _window_ends(theirs, played)
    _key(theirs, "h")
    expect(theirs.locator("details.aside a", has_text="–").first).to_be_focused()


def _window_ends(page, played) -> None:
    """Have the 24 hours be over: there is nowhere to write until she writes again, and then there is at once."""
    ended = "UPDATE {s}.messaging_thread SET last_inbound_at = last_inbound_at - interval '25 hours' WHERE id = %s"
    played.live.ask(f"{ended} RETURNING id", page.url.split("/threads/")[1].split("/")[0], schema="utrecht")
    page.reload()
    expect(page.locator(".window-over")).to_be_visible()
    expect(page.get_by_label("Uw antwoord")).to_have_count(0)
    _say(played, type="text", text={"body": "Bent u er nog?"})
    expect(page.get_by_text("U kunt weer vrij antwoorden.")).to_be_visible()
    expect(page.locator(".window-over")).to_be_hidden()
    assert violations(page) == []
    _key(page, "r")
    expect(page.get_by_label("Uw antwoord")).to_be_visible()
    expect(page.get_by_text("U kunt weer vrij antwoorden.")).to_be_hidden()


def _one_is_uncertain(mine, theirs, played) -> None:
    """Have the connection with Meta break while an answer leaves; who sent it chooses, and the other sees so."""
    played.live.rest()
    played.live.post("switches", {"automatic_statuses": False})
    try:
        played.live.post("faults", {"sends": [{"kind": "html_500_after_accept", "phone_number_id": NUMBER}]})
        mine.get_by_label("Uw antwoord").fill("Op dinsdag.")
        mine.get_by_role("button", name="Verzenden").click()
        for page in (theirs, mine):
            expect(page.locator("#last")).to_contain_text("De verbinding viel weg")
        mine.get_by_role("link", name="Opnieuw verzenden of zo laten").click()
        mine.get_by_role("button", name="Zo laten").click()
        expect(theirs.locator("#messages")).to_contain_text("Kim Kanaal heeft het zo gelaten")
    finally:
        played.live.post("switches", {"automatic_statuses": True})
