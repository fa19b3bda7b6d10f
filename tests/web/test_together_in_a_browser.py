"""Two agents in two real browsers, and citizens who write to them: they see each other, and nobody answers twice."""

import re
import time

import pytest
from playwright.sync_api import expect

from tests.web.stage import CITIZENS, WIDE, violations

MARIE_LOUISE = CITIZENS[3]


@pytest.fixture
def desks(opened, played):
    """Return the pages of an agent and of a supervisor, each in a browser of their own."""
    contexts = [opened.new_context(viewport={"width": WIDE[0], "height": WIDE[1]}) for _ in range(2)]
    for context in contexts:
        context.set_default_timeout(10_000)
    yield [played.sign_in(context, word) for context, word in zip(contexts, ("agent", "supervisor"), strict=True)]
    for context in contexts:
        context.close()


def _open(page, name: str) -> None:
    page.get_by_role("link", name="Inbox", exact=True).click()
    page.get_by_role("link", name="Alle open").click()
    page.get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def test_two_agents_share_the_inbox(desks, played):
    mine, theirs = desks
    phone, name, _ = MARIE_LOUISE
    played.write(phone=phone, name=name, text="Kan ik morgen langskomen?")
    _open(theirs, name)
    _open(mine, name)
    mine.get_by_role("button", name="Neem het").click()
    expect(mine.get_by_text("U hebt dit gesprek.")).to_be_visible()
    expect(theirs.get_by_text("Kim Kanaal nam het gesprek").last).to_be_visible()  # without reloading
    # Both write; who was second is told, and keeps the text.
    theirs.get_by_label("Uw antwoord").fill("Tot morgen dan.")
    answer = f"U bent morgen welkom ({time.time_ns()})."
    mine.get_by_label("Uw antwoord").fill(answer)
    mine.get_by_role("button", name="Verzenden").click()
    expect(theirs.locator(".message", has_text=answer)).to_be_visible()
    theirs.get_by_role("button", name="Verzenden").click()
    expect(theirs.get_by_role("alert")).to_contain_text("Een collega heeft geantwoord terwijl u schreef")
    expect(theirs.get_by_label("Uw antwoord")).to_have_value("Tot morgen dan.")
    assert violations(theirs) == []
    # A note names a colleague, who finds it.
    theirs.get_by_text("Schrijf een interne notitie").click()
    theirs.get_by_label("Notitie, alleen voor collega's").fill("@Kim Kanaal wil je dit afronden?")
    theirs.get_by_role("button", name="Notitie opslaan").click()
    expect(mine.get_by_text("wil je dit afronden?")).to_be_visible()
    # Put aside, it comes back when the citizen writes.
    mine.get_by_text("Uitstellen").click()
    mine.get_by_role("button", name="Tot morgen 9 uur").click()
    mine.get_by_role("link", name="Inbox", exact=True).click()
    mine.get_by_role("link", name="Uitgesteld").click()
    expect(mine.get_by_role("link", name=name)).to_be_visible()
    assert violations(mine) == []
    played.write(phone=phone, name=name, text="Liever vrijdag.")
    expect(mine.get_by_role("link", name=name)).to_have_count(0)
    mine.get_by_role("link", name=re.compile("^Van mij")).click()
    expect(mine.get_by_role("link", name=name)).to_be_visible()
    # Closed with a reason, it is found among the closed.
    mine.get_by_role("link", name=name).click()
    mine.get_by_role("link", name="Gesprek sluiten").click()
    mine.get_by_label("De vraag is beantwoord").check()
    assert violations(mine) == []
    mine.get_by_role("button", name="Gesprek sluiten").click()
    mine.get_by_role("link", name="Gesloten", exact=True).click()
    expect(mine.get_by_role("link", name=name).first).to_be_visible()
