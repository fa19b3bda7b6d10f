"""Each person does their work in a real browser, on a running platform; and axe-core looks at every page.

WCAG 2.2 AA, in daylight and by night, on a wide screen and on a phone; what pages there are: tests/web/pages.py.
"""

import re
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.flows.live import eventually
from tests.web.pages import ANSWERED, SENT_ON
from tests.web.soon import now, shown_soon
from tests.web.stage import AXE, CITIZENS, PHONE, WIDE, violations, violations_in_every_size

FATIMA, OMER = CITIZENS[0], CITIZENS[2]


@pytest.fixture
def context(opened):
    """Return a new browser with nobody signed in; what its pages complain about fails the test."""
    context = opened.new_context(viewport={"width": WIDE[0], "height": WIDE[1]}, reduced_motion="reduce")
    context.set_default_timeout(20_000)
    complaints: list[str] = []
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    # What the policy of the pages forbids is said in the console alone.
    context.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
    yield context
    context.close()
    assert complaints == []


def _open_thread(page, name: str) -> None:
    page.get_by_role("link", name="Alle open").click()
    page.get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def test_an_agent_answers_and_sees_the_ticks_come_by_themselves(context, played):
    page = played.sign_in(context, "agent")
    _open_thread(page, FATIMA[1])
    text = f"Uw vergunning ligt klaar ({time.time_ns()})."
    page.get_by_label("Uw antwoord").fill(text)
    page.get_by_role("button", name="Verzenden").click()
    sent = page.locator(".message", has_text=text)
    expect(sent).to_contain_text("Kim Kanaal")
    expect(sent).to_contain_text(re.compile("Afgeleverd|Gelezen"))  # no reload: by the live connection
    # Soon after Meta said so, whatever it says, in each window.
    other = context.new_page()
    other.goto(page.url)
    played.live.rest()
    played.live.post("switches", {"automatic_statuses": False})
    try:
        _each_tick_is_shown_soon(played, page, other)
    finally:
        played.live.post("switches", {"automatic_statuses": True})
    # What failed and may arrive yet is written again by a click.
    again = page.locator("#last").get_by_role("link", name="Zet het opnieuw in het antwoord")
    again.click()
    expect(page.get_by_label("Uw antwoord")).to_have_value(re.compile("^Tik"))


def _each_tick_is_shown_soon(played, page, other) -> None:
    """Have Meta report each thing that may become of an answer; a report that came late is tried on another answer."""
    ticks = [(each, "#last .message__tick") for each in (page, other)]
    wamids: list[str] = []

    def answer() -> None:
        text = f"Tik {time.time_ns()}"
        page.get_by_label("Uw antwoord").fill(text)
        page.get_by_role("button", name="Verzenden").click()
        for each, tick in ticks:
            expect(each.locator("#last")).to_contain_text(text)
            expect(each.locator(tick)).to_contain_text("Aangenomen door WhatsApp")
        query = "SELECT wamid FROM {s}.messaging_message WHERE text = %s"
        wamids.append(played.live.ask(query, text, schema="utrecht")[0][0])

    def report(status: str, **more) -> float:
        began = now()
        told = {"wamid": wamids[-1], "status": status, **more}
        played.live.post("statuses", {"statuses": [told], "wait": True})
        return began

    answer()
    shown_soon(ticks, lambda _: "Verzonden", lambda _: report("sent"), undo=answer)
    shown_soon(ticks, lambda _: "Afgeleverd", lambda _: report("delivered"), undo=answer)
    shown_soon(ticks, lambda _: "Gelezen", lambda _: report("read"), undo=answer)
    answer()
    error = {"code": 131016, "title": "Service unavailable"}
    shown_soon(ticks, lambda _: "Niet verzonden", lambda _: report("failed", errors=[error]), undo=answer)


def test_a_new_message_appears_without_reloading(context, played):
    page = played.sign_in(context, "agent")
    _open_thread(page, FATIMA[1])
    page.evaluate("window.marked = true")
    page.get_by_label("Uw antwoord").fill("half geschreven")
    text = f"Nog een vraag {time.time_ns()}"
    played.write(phone=FATIMA[0], name=FATIMA[1], text=text)
    expect(page.get_by_text(text)).to_be_visible()
    assert page.evaluate("window.marked")
    expect(page.get_by_label("Uw antwoord")).to_have_value("half geschreven")


def test_a_picture_appears_by_itself_and_a_player_is_left_alone(context, played):
    page = played.sign_in(context, "agent")
    _open_thread(page, FATIMA[1])
    player = page.locator("audio").first
    player.evaluate("each => { each.marked = true }")
    caption = f"Nog een foto {time.time_ns()}"
    played.live.post("faults", {"media": [{"kind": "hang", "seconds": 2}]})
    message = {"type": "image", "image": {"caption": caption}}
    played.write(phone=FATIMA[0], name=FATIMA[1], message=message)
    came = page.locator(".message", has_text=caption)
    expect(came).to_contain_text("Het bestand wordt opgehaald")
    shown = came.get_by_role("img", name="Afbeelding van de inwoner")
    expect(shown).to_be_visible()
    shown.scroll_into_view_if_needed()
    eventually(lambda: shown.evaluate("each => each.naturalWidth") == 320)
    assert player.evaluate("each => each.marked === true")


def test_a_file_is_saved_and_one_that_did_not_come_is_asked_for_again(context, played):
    page = played.sign_in(context, "agent")
    _open_thread(page, FATIMA[1])
    with page.expect_download() as download:
        page.get_by_role("link", name="Bouwtekening dakkapel.pdf").click()
    assert download.value.suggested_filename == "Bouwtekening dakkapel.pdf"
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF-")
    failed = page.locator(".message", has_text="kon niet worden opgehaald")
    failed.get_by_role("button", name="Opnieuw opvragen bij WhatsApp").click()
    expect(page.get_by_text("kon niet worden opgehaald")).to_have_count(0)
    expect(page.get_by_role("button", name="Opnieuw opvragen bij WhatsApp")).to_have_count(0)


def test_a_new_thread_appears_in_the_inbox_and_in_the_title(context, played):
    page = played.sign_in(context, "agent")
    name = f"Nieuw {time.time_ns()}"
    expect(page.get_by_role("link", name=name)).to_have_count(0)
    played.write(phone=f"+316{time.time_ns() % 10**8:08}", name=name, text="Hallo")
    expect(page.get_by_role("link", name=name)).to_be_visible()
    expect(page).to_have_title(re.compile(r"^\(\d+\) Inbox"))


def test_without_redis_pages_ask_by_themselves(context, played, opened):
    page = played.sign_in(context, "agent")
    _open_thread(page, FATIMA[1])
    other = opened.new_context()
    colleague = played.sign_in(other, "supervisor")
    _open_thread(colleague, FATIMA[1])
    played.live.instance.kill_redis()
    try:
        text = f"Zonder Redis {time.time_ns()}"
        colleague.get_by_label("Uw antwoord").fill(text)
        colleague.get_by_role("button", name="Verzenden").click()
        expect(page.get_by_text(text)).to_be_visible(timeout=25_000)
    finally:
        played.live.instance.start_killed_servers()
        other.close()
    played.live.rest()


def test_after_the_window_an_agent_sends_a_template(context, played):
    page = played.sign_in(context, "agent")
    _open_thread(page, "Jan de Wit")
    expect(page.get_by_label("Uw antwoord")).to_have_count(0)
    page.get_by_role("link", name="vervolg_op_uw_vraag").click()
    page.get_by_label("naam").fill("meneer De Wit")
    page.get_by_label("onderwerp").fill("de lantaarnpaal")
    page.get_by_role("button", name="Bekijk hoe het eruitziet").click()
    expect(page.get_by_text("u stelde ons een vraag over de lantaarnpaal")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Verzenden").click()
    sent = page.locator(".message", has_text="over de lantaarnpaal").last
    expect(sent).to_contain_text(re.compile("Afgeleverd|Gelezen"), timeout=40_000)


def test_what_did_not_arrive_says_why(context, played):
    page = played.sign_in(context, "agent")
    _open_thread(page, OMER[1])
    expect(page.locator(".message", has_text="Dan bent u zo aan de beurt.")).to_contain_text(
        "Niet te bezorgen: dit nummer heeft geen WhatsApp"
    )


def test_everything_works_without_javascript(opened, played):
    context = opened.new_context(java_script_enabled=False)
    page = played.sign_in(context, "agent")
    _open_thread(page, FATIMA[1])
    text = f"Zonder script {time.time_ns()}"
    page.get_by_label("Uw antwoord").fill(text)
    page.get_by_role("button", name="Verzenden").click()
    expect(page.get_by_text(text)).to_be_visible()
    page.get_by_role("button", name="Uitloggen").click()
    expect(page.get_by_role("heading", name="Inloggen")).to_be_visible()
    context.close()


def test_an_admin_looks_around(context, played):
    page = played.sign_in(context, "admin")
    expect(page.get_by_role("heading", name="+3197010000344")).to_be_visible()
    page.get_by_role("link", name="Templates").click()
    expect(page.get_by_text("Goedgekeurd").first).to_be_visible()
    page.get_by_role("link", name="Gebruikers").click()
    expect(page.get_by_role("row", name=re.compile("Kim Kanaal.*Medewerker"))).to_be_visible()


def test_an_admin_gets_in_step_with_meta_and_gives_a_template_its_purpose(context, played):
    page = played.sign_in(context, "admin")
    page.get_by_role("link", name="Templates").click()
    paused = page.get_by_role("listitem").filter(has_text="afspraak_herinnering")
    expect(paused).to_contain_text("Voor de eerste keer gepauzeerd, 3 uur lang.")
    coming = page.get_by_role("listitem").filter(has_text="follow_up_on_your_question")
    expect(coming).to_contain_text("Hij wordt Marketing op")
    name = f"van_meta_{time.time_ns()}"
    played.at_meta(name)
    played.at_meta(f"odd_{name}", status="HIBERNATING")
    expect(page.get_by_role("link", name=name)).to_have_count(0)
    page.get_by_role("button", name="Templates van Meta nu ophalen").click()
    expect(page.get_by_role("link", name=f"odd_{name}")).to_be_visible(timeout=20_000)  # no reload: the page follows
    told = page.get_by_role("region", name="Gelijk met Meta").get_by_role("status")
    expect(told).to_contain_text(re.compile("2 nieuw.*die niet konden worden overgenomen", re.S))
    odd = page.get_by_role("listitem").filter(has_text=f"odd_{name}")
    expect(odd).to_contain_text("een staat die wij niet kennen, dus hij wordt niet verstuurd: HIBERNATING")
    assert violations(page) == []
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_text("heeft nog geen doel")).to_be_visible()
    page.get_by_label("Waarvoor deze template wordt verstuurd").select_option("Vergunningen")
    page.get_by_role("button", name="Geef hem dit doel").click()
    expect(page.get_by_text("De template heeft zijn doel.")).to_be_visible()
    expect(page.get_by_text("Deze template kan worden verstuurd.")).to_be_visible()
    assert violations(page) == []


def test_support_looks_at_a_municipality(context, played):
    page = played.sign_in(context, "support")
    page.get_by_role("link", name="Gemeenten", exact=True).click()
    row = page.get_by_role("row", name=re.compile("Utrecht"))
    expect(row).to_contain_text("Live")
    expect(row).to_contain_text("+3197010000344")
    assert int(row.get_by_role("cell").nth(3).inner_text()) > 0
    row.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Utrecht")
    expect(page.get_by_text("GM0344")).to_be_visible()


def test_finance_follows_an_invoice_down_to_its_conversations(context, played):
    page = played.sign_in(context, "finance")
    page.get_by_role("row", name=re.compile("F20")).get_by_role("link").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Downloaden als CSV").click()
    assert download.value.suggested_filename.startswith("Utrecht-")
    line = page.get_by_role("row", name=re.compile("Conversaties service"))
    quantity = int(line.get_by_role("cell").nth(1).inner_text())
    line.get_by_role("link").click()
    expect(page.locator("table").last.locator("tbody tr")).to_have_count(quantity)


def test_by_keyboard_one_gets_past_the_frame(context, played):
    page = played.sign_in(context, "agent")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Naar de inhoud")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Zoek in gesprekken")).to_be_focused()


def test_on_a_phone_many_pages_stand_behind_one_button(context, played):
    page = played.sign_in(context, "operator")
    assert not page.get_by_role("button", name="Menu").is_visible()
    expect(page.get_by_role("link", name="Gemeenten", exact=True)).to_be_visible()
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    assert page.locator(".frame-header").bounding_box()["height"] < PHONE[1] / 4
    expect(page.get_by_role("link", name="Gemeenten", exact=True)).to_be_hidden()
    menu = page.get_by_role("button", name="Menu: Overzicht")
    menu.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Gemeenten", exact=True)).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(menu).to_be_focused()
    menu.click()
    page.get_by_role("link", name="Gemeenten", exact=True).click()
    expect(page.get_by_role("button", name="Menu: Gemeenten")).to_be_visible()


@pytest.mark.parametrize("word", ["agent", "support"], ids=["municipality", "console"])
def test_axe_finds_nothing_on_the_page_of_an_api(opened, played, word):
    # The page lets no script run; axe-core is one, and is let in by the browser alone.
    context = opened.new_context(reduced_motion="reduce", bypass_csp=True)
    page = context.new_page()
    assert page.goto(played.url(word, "/api/v1/docs/")).status == 200
    expect(page.get_by_role("heading", name="Authentication")).to_be_visible()
    found = violations_in_every_size(page)
    context.close()
    assert found == []


def test_axe_finds_nothing_on_any_page(opened, played):
    found = {}
    signed_in = {}
    for to in played.pages():
        if to.word not in signed_in:
            context = opened.new_context(reduced_motion="reduce")
            context.add_init_script(path=AXE)  # handed over once, and not with each page
            page = signed_in[to.word] = played.sign_in(context, to.word, language="en")
            # The frame around each person's pages in English; then all of them in Dutch, whose words are the longer.
            found[f"{to.word} in English"] = violations_in_every_size(page)
            page.get_by_role("button", name="Nederlands").click()
            expect(page.locator("html")).to_have_attribute("lang", "nl")
        page = signed_in[to.word]
        answer = played.open(page, to)
        found[to.name] = violations_in_every_size(page)
        if answer.status != ANSWERED.get(to.name, 200):
            found[to.name].append(f"it was answered {answer.status}")
        if urlsplit(page.url).path != urlsplit(to.path).path and to.name not in SENT_ON:
            found[to.name].append(f"it led to {page.url}")
    for page in signed_in.values():
        page.context.close()
    assert {name: each for name, each in found.items() if each} == {}


def test_axe_finds_nothing_on_the_page_that_says_that_it_is_our_fault(context, played):
    page = played.sign_in(context, "admin")
    with played.live.connect() as connection:
        connection.execute("ALTER TABLE utrecht.messaging_label RENAME TO messaging_label_away")
        try:
            answer = page.goto(played.url("admin", "/labels/"))
        finally:
            connection.execute("ALTER TABLE utrecht.messaging_label_away RENAME TO messaging_label")
    assert answer.status == 500
    assert violations_in_every_size(page) == []


def test_hidden_tabs_let_go(context, played):
    page = played.sign_in(context, "agent")
    closed: list[str] = []
    page.on("requestfailed", lambda request: closed.append(request.url))
    page.wait_for_timeout(500)
    page.evaluate(
        "Object.defineProperty(document, 'hidden', {get: () => true});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    eventually(lambda: page.wait_for_timeout(50) is None and any("/live/inbox/" in url for url in closed), seconds=5)
