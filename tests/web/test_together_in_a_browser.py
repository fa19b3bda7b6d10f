"""Two agents in two real browsers, and citizens who write to them: they see each other, and nobody answers twice."""

import re
import time

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.web.desks import at_desks, open_conversation
from tests.web.soon import now, pressed, shown_soon
from tests.web.stage import CITIZENS, PASSWORD, WIDE, violations

MARIE_LOUISE = CITIZENS[3]
RECOVERED = 5_000  # with the connection back; a page that goes on without it asks every ten seconds
# Notes what the browser is asked to show and to sound, and asks it all the same.
WATCHED = """
window.told = [];
const Real = window.Notification, start = OscillatorNode.prototype.start;
window.Notification = class extends Real { constructor(title, how) { super(title, how); window.told.push(title); } };
OscillatorNode.prototype.start = function (...when) {
  window.told.push(`a tone, ${this.context.state}`);
  return start.apply(this, when);
};
"""
HIDE = "hidden => Object.defineProperty(document, 'hidden', {get: () => hidden, configurable: true})"


@pytest.fixture
def desks(opened, played):
    """Return the pages of an agent and of a supervisor, each in a browser of their own."""
    with at_desks(opened, played) as made:
        yield made


@pytest.fixture
def desks_in_windows(in_windows, played):
    """Return the same, in a browser that shows messages of its own."""
    with at_desks(in_windows, played) as made:
        yield made


def _give_back(mine, theirs) -> None:
    """Have nobody have the conversation again."""
    mine.locator("summary", has_text="Overdragen").click()
    mine.get_by_label("Aan", exact=True).select_option("Niemand")
    mine.get_by_role("button", name="Overdragen").click()
    expect(theirs.get_by_text("Niemand heeft dit gesprek nog.")).to_be_visible()


def _come_again(mine, theirs) -> None:
    """Leave the conversation and come back, typing nothing."""
    mine.reload()
    expect(theirs.get_by_text("Kim Kanaal typt een antwoord")).to_have_count(0)


def test_two_agents_share_the_inbox(desks, played):
    mine, theirs = desks
    phone, name, _ = MARIE_LOUISE
    played.write(phone=phone, name=name, text="Kan ik morgen langskomen?")
    open_conversation(theirs, name)
    open_conversation(mine, name)
    take = mine.get_by_role("button", name="Neem het")
    shown_soon(
        [(theirs, "#desk-now")],
        lambda _: "Kim Kanaal heeft dit gesprek",
        lambda _: pressed(mine, "/take/", take.click),
        undo=lambda: _give_back(mine, theirs),
    )
    expect(mine.get_by_text("U hebt dit gesprek.")).to_be_visible()
    expect(theirs.get_by_text("Kim Kanaal nam het gesprek").last).to_be_visible()
    # They see each other look, and type.
    expect(mine.get_by_text("Sem Super kijkt ook")).to_be_visible()
    typed = mine.get_by_label("Uw antwoord")
    shown_soon(
        [(theirs, "#others")],
        lambda _: "Kim Kanaal typt een antwoord",
        lambda _: pressed(mine, "/typing/", lambda: typed.press_sequentially("Goede")),
        undo=lambda: _come_again(mine, theirs),
    )
    # Both write; who was second is told, and keeps the text.
    theirs.get_by_label("Uw antwoord").fill("Tot morgen dan.")
    answer = f"U bent morgen welkom ({time.time_ns()})"
    send = mine.get_by_role("button", name="Verzenden")

    def answered(attempt: int) -> float:
        mine.get_by_label("Uw antwoord").fill(f"{answer}: {attempt}.")
        return pressed(mine, "/reply/", send.click)

    shown_soon([(theirs, "#messages")], lambda attempt: re.escape(f"{answer}: {attempt}."), answered)
    theirs.get_by_role("button", name="Verzenden").click()
    expect(theirs.get_by_role("alert")).to_contain_text("Een collega heeft geantwoord terwijl u schreef")
    expect(theirs.get_by_label("Uw antwoord")).to_have_value("Tot morgen dan.")
    assert violations(theirs) == []
    # A note names a colleague, who finds it.
    theirs.get_by_text("Schrijf een interne notitie").click()
    theirs.get_by_label("Collega", exact=True).select_option("Kim Kanaal")
    theirs.get_by_role("button", name="Noem in de notitie").click()
    theirs.keyboard.type("wil je dit afronden?")
    expect(theirs.get_by_label("Notitie, alleen voor collega's")).to_have_value("@Kim Kanaal wil je dit afronden?")
    theirs.get_by_role("button", name="Notitie opslaan").click()
    expect(mine.get_by_text("@Kim Kanaal wil je dit afronden?")).to_be_visible()
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


def _somebody_writes(played) -> float:
    stamp = time.time_ns()
    began = now()
    played.write(phone=f"+316{stamp % 10**8:08}", name=f"Nieuw {stamp}", text="Hallo")
    return began


def _told(page, wanted: list[str]) -> None:
    """Wait until just this was shown and sounded, and forget it."""
    page.wait_for_function("wanted => String(window.told.toSorted()) === String(wanted)", arg=sorted(wanted))
    page.evaluate("window.told = []")


def test_who_begins_to_wait_is_shown_and_heard_as_each_agent_chose(desks_in_windows, played):
    mine, theirs = desks_in_windows
    for page in desks_in_windows:
        page.context.grant_permissions(["notifications"])
        page.context.add_init_script(WATCHED)
    theirs.reload()
    open_conversation(mine, CITIZENS[0][1])
    notice, tone = "Een inwoner wacht op antwoord", "a tone, running"
    # In a conversation too the title counts; nothing is heard of who did not ask for it.
    before = int(mine.locator("#waiting [data-count]").get_attribute("data-count"))
    shown_soon(
        [(mine, "title"), (theirs, "title"), (theirs, "#list-waiting")],
        lambda attempt: rf"(^|\D){before + 1 + attempt}(\D|$)",
        lambda _: _somebody_writes(played),
    )
    before = int(mine.locator("#waiting [data-count]").get_attribute("data-count")) - 1
    expect(mine).to_have_title(re.compile(rf"^\({before + 1}\) {CITIZENS[0][1]}"))
    expect(mine.locator("#waiting")).to_contain_text(f"Wacht op antwoord: {before + 1}")
    mine.get_by_text("Meldingen in deze browser").click()
    mine.get_by_label("Toon een melding van de browser").check()
    _told(mine, [])
    mine.get_by_label("Laat een korte toon horen").check()
    _told(mine, [tone])  # so that it is known
    # Looking at the page, one hears it; looking elsewhere, one is shown it too.
    _somebody_writes(played)
    expect(mine).to_have_title(re.compile(rf"^\({before + 2}\) "))
    _told(mine, [tone])
    mine.evaluate(HIDE, True)
    mine.wait_for_timeout(3_000)  # several at once are told once
    _somebody_writes(played)
    _told(mine, [notice, tone])
    # By key to who waits longest; and what was chosen holds in the lists too.
    mine.evaluate(HIDE, False)
    mine.locator("h1").click()
    longest = mine.locator("#next-thread").get_attribute("href")
    mine.keyboard.press("w")
    mine.wait_for_url(f"**{longest}")
    mine.keyboard.press("i")
    mine.get_by_text("Meldingen in deze browser").click()
    expect(mine.get_by_label("Toon een melding van de browser")).to_be_checked()
    mine.get_by_label("Laat een korte toon horen").uncheck()
    mine.evaluate(HIDE, True)
    mine.wait_for_timeout(3_000)
    mine.evaluate("window.told = []")
    _somebody_writes(played)
    _told(mine, [notice])
    expect(theirs).to_have_title(re.compile(rf"^\({before + 4}\) Inbox"))
    _told(theirs, [])


def test_what_a_colleague_does_is_seen_in_lists_and_conversations_and_after_a_lost_connection(desks, played):
    mine, theirs = desks
    phone, name, _ = CITIZENS[2]
    open_conversation(mine, name)
    theirs.get_by_role("link", name="Alle open").click()
    row = theirs.get_by_role("listitem").filter(has=theirs.get_by_role("link", name=name))
    expect(row).to_contain_text("Kim Kanaal kijkt ook")
    thread_id = mine.url.split("/threads/")[1].split("/")[0]
    typed = mine.get_by_label("Uw antwoord")
    shown_soon(
        [(theirs, f"#there-{thread_id}")],
        lambda _: "Kim Kanaal typt een antwoord",
        lambda _: pressed(mine, "/typing/", lambda: typed.press_sequentially("Goede")),
        undo=lambda: _come_again(mine, theirs),
    )
    # Who goes through a list by keys stays where they are while it is brought up to date.
    row.get_by_role("link", name=name).focus()
    text = f"Bent u er nog? {time.time_ns()}"

    def asked(attempt: int) -> float:
        began = now()
        played.write(phone=phone, name=name, text=f"{text}, {attempt}")
        return began

    both = [(theirs, "#threads"), (mine, "#messages")]
    shown_soon(both, lambda attempt: re.escape(f"{text}, {attempt}"), asked)
    expect(row.get_by_role("link", name=name)).to_be_focused()
    theirs.keyboard.press("Enter")
    expect(theirs.get_by_text("Kim Kanaal typt een antwoord")).to_be_visible()
    # Without a connection the page says so; with it again, it shows what was missed.
    theirs.context.set_offline(True)
    expect(theirs.get_by_text("Geen verbinding.")).to_be_visible(timeout=RECOVERED)
    assert violations(theirs) == []
    taken = mine.get_by_role("button", name="Neem het")
    if taken.count():
        taken.click()
    text = f"Ik sta nu buiten {time.time_ns()}"
    played.write(phone=phone, name=name, text=text)
    expect(mine.get_by_text(text)).to_be_visible()
    expect(theirs.get_by_text(text)).to_have_count(0)
    theirs.context.set_offline(False)
    expect(theirs.get_by_text(text)).to_be_visible(timeout=RECOVERED)
    expect(theirs.get_by_text("Kim Kanaal heeft dit gesprek.")).to_be_visible(timeout=RECOVERED)
    expect(theirs.get_by_text("Geen verbinding.")).to_have_count(0)


def test_an_agent_finds_composes_and_marks(desks, played, tmp_path):
    mine, theirs = desks
    fatima, jan = CITIZENS[0][1], CITIZENS[1][1]
    # Found by a word, which stands in no address; from there to its place in the conversation.
    mine.keyboard.press("/")
    mine.keyboard.type("lantaarnpalen")  # he wrote of one
    mine.keyboard.press("Enter")
    expect(mine.locator("mark").first).to_have_text("lantaarnpaal")
    assert mine.url.endswith("/search/")
    assert violations(mine) == []
    mine.locator("h1").click()
    mine.keyboard.press("j")
    expect(mine.get_by_role("link", name=jan).first).to_be_focused()
    mine.keyboard.press("Enter")
    expect(mine.get_by_role("link", name="Naar de laatste berichten")).to_be_visible()
    mine.get_by_role("link", name="Inbox", exact=True).click()
    # Limited to a label.
    mine.get_by_role("link", name="Alle open").click()
    mine.get_by_role("link", name="Openbare ruimte").click()
    expect(mine.get_by_role("link", name=jan)).to_be_visible()
    expect(mine.get_by_role("link", name=fatima)).to_have_count(0)
    assert violations(mine) == []
    mine.get_by_role("link", name="Alle labels").click()
    open_conversation(theirs, fatima)
    mine.get_by_role("link", name=fatima).click()
    # A number that does not belong here is masked until somebody asks for it; what is bold is bold.
    expect(mine.locator("#messages")).to_contain_text("•••••••42")
    expect(mine.locator("strong", has_text="foto")).to_be_visible()
    mine.get_by_role("button", name="Toon het; dit wordt vastgelegd").click()
    expect(mine.locator("#messages")).to_contain_text("999990342")
    expect(theirs.locator("#messages")).not_to_contain_text("999990342")
    # There it stays, while the page is brought up to date, until it is loaded again.
    text = f"Ziet u het? {time.time_ns()}"
    played.write(phone=CITIZENS[0][0], name=fatima, text=text)
    expect(mine.locator("#messages")).to_contain_text(text)
    expect(mine.locator("#messages")).to_contain_text("999990342")
    mine.reload()
    expect(mine.locator("#messages")).not_to_contain_text("999990342")
    # By keyboard alone: the list of keys, then an answer that begins from a canned one.
    mine.locator("h1").click()
    mine.keyboard.press("?")
    expect(mine.get_by_role("dialog", name="Sneltoetsen")).to_be_visible()
    assert violations(mine) == []
    mine.keyboard.press("Escape")
    mine.keyboard.press("r")
    answer = mine.get_by_label("Uw antwoord")
    expect(answer).to_be_focused()
    mine.keyboard.type("/groet ")
    expect(answer).to_have_value(f"Goedendag {fatima}, u spreekt met Kim Kanaal van de gemeente Utrecht.")
    # Or found by a word of it, without sending what stands there.
    mine.locator("h1").click()
    mine.keyboard.press("c")
    mine.keyboard.type("ontvangst")
    expect(mine.get_by_role("link", name="Begroeting")).to_be_hidden()
    mine.keyboard.press("Enter")
    expect(answer).to_have_value(re.compile("Neem mee:"))
    answer.fill(f"Goedendag {fatima}, u spreekt met Kim Kanaal van de gemeente Utrecht.")
    mine.get_by_text("Emoji", exact=True).click()
    with mine.expect_response(lambda answer: "%F0%9F%99%8F" in (answer.request.post_data or "")):  # kept, the sign too
        mine.get_by_role("button", name="Dank u wel").click()
    expect(mine.get_by_text("Bewaard als concept.")).to_be_visible()
    written = f"Goedendag {fatima}, u spreekt met Kim Kanaal van de gemeente Utrecht.🙏"
    mine.reload()
    expect(answer).to_have_value(written)
    # With a quote, and a file that goes to Meta and comes back on both pages.
    mine.get_by_role("link", name="Citeren").first.click()
    expect(mine.get_by_text("Niet citeren")).to_be_visible()
    expect(answer).to_have_value(written)
    picture = tmp_path / "kaart.png"
    Image.new("RGB", (80, 60), "red").save(picture)
    # Dropped on the form.
    dropped = mine.evaluate_handle(
        "bytes => { const data = new DataTransfer();"
        " data.items.add(new File([new Uint8Array(bytes)], 'kaart.png', {type: 'image/png'})); return data }",
        list(picture.read_bytes()),
    )
    for event in ("dragover", "drop"):
        mine.locator("#composer").dispatch_event(event, {"dataTransfer": dropped})
    assert mine.get_by_label("Bijlage").evaluate("each => each.files[0].name") == "kaart.png"
    assert violations(mine) == []
    mine.get_by_role("button", name="Verzenden").click()
    sent = theirs.locator(".message--ours", has_text=written)
    expect(sent.locator("img")).to_be_visible(timeout=15_000)
    expect(sent.locator("blockquote")).to_be_visible()
    expect(sent.locator(".message__tick--delivered, .message__tick--read").last).to_be_visible(timeout=15_000)
    expect(mine.get_by_label("Uw antwoord")).to_have_value("")
    # Buttons, of which the citizen sees a question.
    mine.get_by_label("Uw antwoord").fill("Schikt donderdag?")
    mine.get_by_text("Laat de inwoner kiezen").click()
    mine.get_by_label("Knop 1").fill("Ja")
    mine.get_by_label("Knop 2").fill("Nee")
    mine.get_by_label("Uw antwoord").press("Control+Enter")
    expect(theirs.locator(".message--ours", has_text="▸ Ja")).to_be_visible()
    # Signed out in between, nothing that was written is lost.
    mine.get_by_label("Uw antwoord").fill("Nog een vraag")
    expect(mine.get_by_text("Bewaard als concept.")).to_be_visible()
    mine.context.clear_cookies()
    mine.get_by_label("Uw antwoord").fill("Nog een vraag van mij")
    expect(mine.get_by_text("Niet bewaard: u bent uitgelogd")).to_be_visible()
    expect(mine.get_by_label("Uw antwoord")).to_have_value("Nog een vraag van mij")
    again = played.sign_in(mine.context, "agent")
    mine.get_by_label("Uw antwoord").press_sequentially(".")
    expect(mine.get_by_text("Bewaard als concept.")).to_be_visible()
    open_conversation(again, fatima)
    expect(again.get_by_label("Uw antwoord")).to_have_value("Nog een vraag van mij.")
    # What a page needs of scripts stays below a hundred kilobytes.
    sizes = again.evaluate(
        "async () => (await Promise.all([...document.scripts].map(async (each) =>"
        " (await (await fetch(each.src)).arrayBuffer()).byteLength))).reduce((one, other) => one + other, 0)"
    )
    assert 0 < sizes < 100_000


def test_a_citizen_is_answered_in_six_actions_from_the_sign_in_on(opened, played):
    phone, name, _ = CITIZENS[4]
    played.write(phone=phone, name=name, text="May I come tomorrow?")
    context = opened.new_context(viewport={"width": WIDE[0], "height": WIDE[1]})
    page = context.new_page()
    page.goto(played.url("agent"))
    answer = f"You may ({time.time_ns()})."
    page.get_by_label("E-mail").fill("agent@voorbeeld.example")
    page.get_by_label("Wachtwoord").fill(PASSWORD)
    page.get_by_role("button", name="Inloggen", exact=True).click()
    page.get_by_role("link", name=name).first.click()
    page.get_by_label("Uw antwoord").fill(answer)
    page.get_by_role("button", name="Verzenden").click()
    expect(page.locator(".message--ours", has_text=answer)).to_be_visible()
    context.close()
