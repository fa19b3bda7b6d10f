"""The whole road of a municipality in real browsers, in Dutch: from an empty application to a citizen who is answered.

Who walks: the BSP's employee, the municipality over its link, who approves at the BSP, and the municipality's first
admin. Each tries on the way what is refused.
"""

import json
import re
import urllib.request
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tenants.onboarding.models import Part
from tests.flows.live import TOWNS, eventually
from tests.tenants.road import ANSWERS, PDF
from tests.web.joining import OWED, accept, link_in_mail, set_up_app
from tests.web.stage import AMSTERDAM, WIDE, Stage, violations_in_every_size

WABA, META_NUMBER = "555000000193", "666000000193"
WRONG_WABA, WRONG_NUMBER = "555000000194", "666000000194"
FORGING_WABA, LATE_WABA, EMPTY_WABA = "555000000195", "555000000196", "555000000197"
OURS = "+31 38 4989111"
ADMIN = "beheer@zwolle.example"  # as the application says
OLD_PIN = "123456"  # which the number has from where it was before
SLOW = 20_000  # milliseconds: a tenant is made in one step, and a worker tells what Meta told


class Road:
    """Four people on their way, each in a browser of their own."""

    def __init__(self, stage: Stage, opened) -> None:
        """Sign the two of the BSP in; the others come over links."""
        self.stage, self.complaints = stage, []
        self.today = datetime.now(AMSTERDAM).date().isoformat()
        size = {"width": WIDE[0], "height": WIDE[1]}
        self.contexts = [opened.new_context(viewport=size, reduced_motion="reduce") for _ in range(4)]
        for each in self.contexts:
            each.set_default_timeout(SLOW)
            each.on("weberror", lambda error: self.complaints.append(str(error.error)))
            each.on("console", lambda said: self.complaints.append(said.text) if "Content Sec" in said.text else None)
        self.ours = stage.sign_in(self.contexts[0], "onboarding")
        self.approver = stage.sign_in(self.contexts[1], "operator")
        self.theirs, self.admin = self.contexts[2].new_page(), self.contexts[3].new_page()
        self.address = ""  # of the onboarding, on the console

    def at(self, path: str) -> str:
        """Return an address at the municipality."""
        return f"http://zwolle.localhost:{self.stage.live.instance.web_port}{path}"


@pytest.fixture
def road(played, opened) -> Iterator[Road]:
    """Return the road; what its pages complain about fails the test."""
    made = Road(played, opened)
    yield made
    for each in made.contexts:
        each.close()
    assert made.complaints == []


def look(page: Page) -> None:
    """Hold a page to WCAG, wide and on a phone, by day and by night."""
    assert violations_in_every_size(page) == [], page.url
    page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})


def heading(page: Page, words: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_contain_text(words, timeout=SLOW)


def fill(page: Page, part: Part, **other: str) -> None:
    for name, value in {**ANSWERS[part], **other}.items():
        if value == "yes":
            page.locator(f"#{name}").check()
        elif name == "number_now":
            page.locator(f"input[name=number_now][value={value}]").check()
        else:
            page.locator(f"#{name}").fill(value)


def press(page: Page, name: str, *, said: str = "") -> None:
    page.get_by_role("button", name=name, exact=True).click()
    if said:
        expect(page.get_by_text(said).first).to_be_visible(timeout=SLOW)


def begin(road: Road) -> None:
    """Find the municipality in the register, begin, and fill in the first part: what is wrong is said."""
    page = road.ours
    page.goto(road.stage.url("onboarding", "/onboarding/"))
    page.get_by_label("Naam, provincie of CBS-code").fill("zwolle")
    press(page, "Zoeken")
    press(page, "Beginnen Zwolle")
    heading(page, "Zwolle")
    road.address = page.url
    expect(page.get_by_text("Dit ontbreekt nog:")).to_be_visible()
    expect(page.get_by_role("button", name="Indienen ter goedkeuring")).to_have_count(0)
    page.get_by_role("link", name="Organisatie").click()
    page.locator("#kvk_number").press_sequentially("1234567")
    expect(page.locator("#error-kvk_number")).to_contain_text("acht cijfers")  # by itself, while it is typed
    page.locator("#oin").fill("00000001823288445000")
    press(page, "Opslaan")
    expect(page.locator("#error-oin")).to_contain_text("RSIN")
    expect(page.locator("#oin")).to_have_value("00000001823288445000")
    look(page)
    fill(page, Part.ORGANISATION)
    press(page, "Opslaan en verder")
    heading(page, "Contact en nummer")


def open_link(road: Road) -> None:
    """Come in over the link, whose secret no server is told; a wrong one opens nothing."""
    page, away, asked = road.ours, road.theirs, []
    page.goto(road.address)
    page.get_by_label("Naam van wie het bij de gemeente invult").fill("Sanne Vos")
    press(page, "Link maken")
    link = page.locator("#made-link").inner_text()
    address, _hash, secret = link.partition("#")
    away.goto(address)
    away.get_by_label("Code").fill("verzonnen")
    press(away, "Aanvraag openen")
    expect(away.get_by_role("alert")).to_contain_text("werkt niet")
    look(away)
    away.on("request", lambda request: asked.append(request.url))
    away.goto("about:blank")
    away.goto(link)
    heading(away, "Aanvraag voor WhatsApp: Zwolle")
    assert asked
    assert not [url for url in asked if secret in url.partition("#")[0]]


def fill_in_together(road: Road) -> None:
    """Fill in the rest from the municipality; of two who save the same part the second is told, and loses nothing."""
    page, away = road.ours, road.theirs
    away.get_by_role("link", name="Contact en nummer").click()
    away.locator("#whatsapp_number").press_sequentially("14 038")
    expect(away.locator("#error-whatsapp_number")).to_contain_text("kan niet op WhatsApp")
    for part in (Part.CONTACTS, Part.PRIVACY, Part.PURPOSES, Part.PROHIBITIONS):
        fill(away, part)
        press(away, "Opslaan en verder")
    heading(away, "Ondertekening")
    fill(away, Part.SIGNING, signed_date=road.today)
    page.goto(f"{road.address}part/signing/")
    page.locator("#signatory_name").fill("Iemand anders")
    press(away, "Opslaan")
    heading(away, "Aanvraag")
    press(page, "Opslaan")
    expect(page.get_by_role("alert")).to_contain_text("Sanne Vos heeft dit deel intussen opgeslagen")
    expect(page.locator("#signatory_name")).to_have_value("Iemand anders")
    expect(page.locator(".field-theirs").first).to_contain_text("P. Jansen")
    look(page)


def sign(road: Road, folder: Path) -> None:
    """Download the application, and upload it signed: no other file is taken. Then the link is ended, which is said."""
    away, page = road.theirs, road.ours
    with away.expect_download() as download:
        away.get_by_role("link", name="Aanvraag om te ondertekenen").click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF-")
    for name, content, said in (
        ("nep.pdf", b"<html></html>", "Dit bestand is geen PDF."),
        ("getekend.pdf", PDF, "Niets: de BSP kan de aanvraag"),
    ):
        (folder / name).write_bytes(content)
        away.get_by_label("Ondertekende aanvraag").set_input_files(folder / name)
        press(away, "Uploaden", said=said)
    look(away)
    page.goto(road.address)
    page.locator("form[action*='/links/'] button", has_text="Sanne Vos").click()
    expect(page.get_by_text("De link werkt niet meer.")).to_be_visible()
    away.reload()
    expect(away.get_by_text("Deze link werkt niet, of niet meer")).to_be_visible()


def decide(road: Road) -> None:
    """Hand it in and approve it: not by who filled it in, not without a reason, not from a stage that is over."""
    page, late, other = road.ours, road.contexts[0].new_page(), road.approver
    page.goto(road.address)
    late.goto(road.address)
    press(page, "Indienen ter goedkeuring")
    heading(page, "Verklaard")
    press(late, "Indienen ter goedkeuring", said="Iemand anders heeft de aanmelding intussen naar een andere fase")
    late.close()
    page.get_by_role("link", name="Goedkeuren").click()
    press(page, "Goedkeuren", said="U heeft zelf aan deze aanvraag gewerkt")
    other.goto(road.address)
    other.get_by_role("link", name="Afwijzen").click()
    press(other, "Afwijzen", said="Schrijf op waarom")
    look(other)
    other.get_by_role("link", name="Annuleren").click()
    look(other)
    other.get_by_role("link", name="Goedkeuren").click()
    press(other, "Goedkeuren")
    heading(other, "Goedgekeurd")


def press_last(window: Page, button: str) -> None:
    """Press what closes its window: a moment later, because a click would wait for a window that is gone."""
    window.wait_for_selector(button)
    window.evaluate("chosen => { setTimeout(() => document.querySelector(chosen).click(), 100) }", button)


def window(road: Road) -> Page:
    with road.ours.expect_popup() as popup:
        press(road.ours, "Venster van Meta openen")
    return popup.value


def sign_up(road: Road, waba_id: str, number: str, display: str, *, said: str, on_phone: bool = False) -> None:
    """Finish Meta's window; said: what then stands at the step."""
    opened = window(road)
    given = {"waba_id": waba_id, "name": "Zwolle", "phone_number_id": number, "display_phone_number": display}
    for name, value in given.items():
        opened.locator(f"[name={name}]").fill(value)
    if on_phone:
        opened.get_by_label("Also in the Business app on a phone").check()
    press_last(opened, "#form button:not([type])")
    expect(road.ours.locator("#step-SIGNUP")).to_contain_text(said, timeout=SLOW)


# A window of Meta's whose message names another's account than its code is for.
FORGE = """
async ([given, other]) => {
    const answer = await fetch("/_sandbox/signups", { method: "POST", body: JSON.stringify(given) });
    const said = await answer.json();
    said.message.data.waba_id = other;
    window.opener.postMessage(JSON.stringify(said.message), "*");
    window.opener.postMessage({ from: "sandbox", code: said.code }, "*");
    setTimeout(() => window.close(), 100);
}
"""


def take(road: Road, step: str, said: str = "Gelukt") -> None:
    page = road.ours
    with page.expect_navigation():
        page.locator(f"#step-{step}").get_by_role("button").click()
    expect(page.locator(f"#step-{step}")).to_contain_text(said, timeout=SLOW)


def go_on(road: Road, name: str) -> None:
    road.ours.goto(road.address)
    press(road.ours, name)
    road.ours.goto(f"{road.address}connect/")


def fail_to_sign_up(road: Road) -> None:
    """Leave Meta's window, have it fail, lie, come too late, and end with another number or with none."""
    page, post = road.ours, road.stage.live.post
    step, event = page.locator("#step-SIGNUP"), page.locator("#signup [name=event]")
    page.goto(f"{road.address}connect/")
    press_last(window(road), "#cancel")
    expect(step).to_contain_text("is afgebroken")
    expect(step).to_contain_text("PHONE_NUMBER_SETUP")
    press_last(window(road), "#fail")
    expect(step).to_contain_text("gaf een fout")
    expect(step).to_contain_text("524126")
    finished = '{"type": "WA_EMBEDDED_SIGNUP", "event": "FINISH", "data": {"waba_id": "555000000193"}}'
    heard = "given => new Promise(done => { addEventListener('message', () => done()); postMessage(given, '*'); })"
    page.evaluate(heard, finished)  # by a page of another origin than Meta's
    expect(event).to_have_value("")
    lying = window(road)
    lying.wait_for_selector("#cancel")
    given = {"waba_id": FORGING_WABA, "phone_number_id": "666000000195"}
    lying.evaluate(FORGE, [given, TOWNS["utrecht"][2]])
    expect(step).to_contain_text("hoort bij een ander account dan het venster noemde")
    post("switches", {"signup_code_seconds": 0})
    sign_up(road, LATE_WABA, "666000000196", "+31 38 4989112", said="de code van 30 seconden was al verlopen")
    post("switches", {"signup_code_seconds": 30})
    sign_up(road, WRONG_WABA, WRONG_NUMBER, "+31 20 6240000", said="een ander nummer dan in de aanvraag")
    sign_up(road, EMPTY_WABA, "", "", said="Er staat nog geen nummer in het account")
    look(page)
    take(road, "SIGNUP", "Er staat nog geen nummer in het account")
    add_number(road, EMPTY_WABA)
    take(road, "SIGNUP")
    press_last(window(road), "#cancel")
    expect(page.get_by_text("Wat eerder is overgenomen blijft gelden")).to_be_visible()
    expect(step).to_contain_text("Gelukt")


def add_number(road: Road, waba_id: str) -> None:
    """Add the application's number to an account, as the municipality does at Meta."""
    body = json.dumps({"country_code": "31", "phone_number": "384989111", "verified_name": "Zwolle"}).encode()
    token = road.stage.live.instance.environ["META_SYSTEM_TOKEN"]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    url = f"{road.stage.live.instance.urls.sandbox}/v24.0/{waba_id}/phone_numbers"
    urllib.request.urlopen(urllib.request.Request(url, data=body, headers=headers), timeout=20).close()


def connect(road: Road) -> None:
    """Take over a number that is still in the Business app on a phone; make the tenant."""
    page = road.ours
    fail_to_sign_up(road)
    sign_up(road, WABA, META_NUMBER, OURS, said=META_NUMBER, on_phone=True)
    expect(page.get_by_text("ook in de Business-app op een telefoon")).to_be_visible()
    for step in ("TENANT", "SUBSCRIBE", "CREDIT"):
        take(road, step)


def register(road: Road) -> None:
    """Have Meta approve, then register a number that was on a phone, then at another BSP, and has a PIN from there."""
    page, post = road.ours, road.stage.live.post
    for step in ("GOVERNMENT_FORM", "GOVERNMENT_APPROVAL"):
        page.locator(f"#day-{step}").fill(road.today)
        page.locator(f"#reference-{step}").fill("GOV-17")
        take(road, step)
        if step == "GOVERNMENT_FORM":
            go_on(road, "Wacht op goedkeuring door Meta")
    take(road, "REGISTER", "")
    expect(page.get_by_text("Eerst moet een eerdere stap lukken")).to_be_visible()
    take(road, "STORAGE", "nog in de Business-app op een telefoon")
    post(f"numbers/{META_NUMBER}", {"in_business_app": False})
    take(road, "STORAGE", "al geregistreerd, met opslag buiten de EU")
    look(page)
    post(f"numbers/{META_NUMBER}", {"status": "PENDING", "code_verification_status": "NOT_VERIFIED", "pin": OLD_PIN})
    take(road, "STORAGE")
    take(road, "REGISTER", "nog niet bewezen")
    take(road, "REQUEST_CODE")
    page.locator("#code").fill("12")
    take(road, "VERIFY_CODE", "De code heeft zes cijfers")
    page.locator("#code").fill(road.stage.live.get(f"numbers/{META_NUMBER}")["verification_code"])
    take(road, "VERIFY_CODE")
    take(road, "REGISTER", "De pincode is niet die van het nummer")
    page.locator("#pin").fill(OLD_PIN)
    take(road, "REGISTER")
    look(page)
    go_on(road, "Geregistreerd")
    for step in ("PROFILE", "READ_BACK"):
        take(road, step)
    expect(page.get_by_text("Business-app")).to_have_count(0)

    def installed() -> bool:
        page.locator("#step-INSTALLED").get_by_role("button").click()
        page.wait_for_load_state()
        return "Gelukt" in page.locator("#step-INSTALLED").inner_text()

    eventually(installed)
    go_on(road, "Live zetten")
    heading(page, "Live")


def join(road: Road) -> None:
    """Come in by the mail as the first admin, and set up the second step."""
    admin = road.admin
    accept(admin, link_in_mail(admin, mailbox=road.at("/mail/"), email=ADMIN), name="Bas Beheer")
    admin.wait_for_url(OWED)
    set_up_app(admin)
    admin.goto(road.at("/numbers/"))
    expect(admin.get_by_role("heading", name="+31384989111")).to_be_visible()
    look(admin)


def answer_too(road: Road) -> None:
    """Let oneself answer citizens as well."""
    admin = road.admin
    admin.goto(road.at("/users/"))
    admin.get_by_role("link", name="Bas Beheer", exact=True).click()
    admin.get_by_label("Supervisor").check()
    press(admin, "Rollen opslaan")


def write_a_template(road: Road) -> None:
    """Write a template with a word that is flagged: the BSP refuses it with a reason; with other words Meta has it."""
    admin, judge = road.admin, road.ours
    admin.goto(road.at("/templates/new/"))
    admin.get_by_label("Naam", exact=True).fill("balie_open")
    purpose = admin.get_by_label("Waarvoor deze template wordt verstuurd")
    offered = purpose.evaluate("each => [...each.options].map(option => option.value).filter(Boolean)")
    assert offered == ["PERMITS", "SERVICES"], "as declared, and no others"
    purpose.select_option("SERVICES")
    preview, text = admin.locator("#preview"), admin.get_by_label("Tekst", exact=True)
    text.press_sequentially("Goedendag {{naam}}, vóór de verkiezingen is de balie open.")
    expect(preview).to_contain_text("verkiezingen (een verkiezing beïnvloeden)")  # by itself, while it is written
    admin.get_by_label("Voorbeeld van naam").fill("mevrouw De Vries")
    expect(preview).to_contain_text("Goedendag mevrouw De Vries, vóór")
    look(admin)
    press(admin, "Concept opslaan")
    heading(admin, "balie_open")
    expect(admin.get_by_role("button", name="Bij Meta indienen")).to_have_count(0)
    press(admin, "Vraag de aanbieder", said="heeft nog niet geantwoord")
    judge.goto(road.stage.url("onboarding", "/drafts/"))
    judge.get_by_role("link", name="Zwolle: balie_open").click()
    judge.get_by_label("Waarom").fill("Noem de verkiezingen niet.")
    look(judge)
    press(judge, "Weigeren", said="Het is geweigerd.")
    admin.reload()
    expect(admin.get_by_text("Noem de verkiezingen niet.")).to_be_visible()
    admin.get_by_role("link", name="Concept wijzigen").click()
    text.fill("Goedendag {{naam}}, op woensdag is de balie open. U bent welkom.")
    press(admin, "Concept opslaan")
    press(admin, "Bij Meta indienen", said="Meta heeft het.")


def declare_otherwise(road: Road) -> None:
    """Ask for another purpose, which the BSP approves: until then it is not offered."""
    admin, judge = road.admin, road.approver
    admin.goto(road.at("/declaration/"))
    admin.get_by_text("Andere doelen vragen").click()
    for name in ("use_TOURISM", *ANSWERS[Part.PROHIBITIONS]):
        admin.locator(f"#{name}").check()
    press(admin, "Vraag de aanbieder", said="Het is niet gevraagd")
    for name, value in (("describe_TOURISM", "Wandelroutes"), ("signatory_name", "P. Jansen")):
        admin.locator(f"#{name}").fill(value)
    admin.locator("#signatory_function").fill("Gemeentesecretaris")
    look(admin)
    press(admin, "Vraag de aanbieder", said="Er wacht een wijziging")
    judge.goto(road.stage.url("operator", "/onboarding/"))
    judge.get_by_role("main").get_by_role("link", name="Zwolle").click()
    press(judge, "Afwijzen", said="Zeg waarom")
    look(judge)
    press(judge, "Goedkeuren", said="Het is gedaan")
    admin.reload()
    expect(admin.get_by_role("listitem").filter(has_text="Toerisme").first).to_be_visible()


def write(road: Road, text: str) -> None:
    """Have a citizen write."""
    message = {"type": "text", "text": {"body": text}}
    citizen = {"phone": "+31697000193", "name": "Hanna Hop"}
    update = {"phone_number_id": META_NUMBER, "citizen": citizen, "message": message}
    road.stage.live.post("inbound", {"updates": [update], "wait": True})


def answer(road: Road) -> None:
    """Answer the first citizen; the ticks come by themselves."""
    write(road, "Is mijn vergunning klaar?")
    admin = road.admin
    admin.goto(road.at("/inbox/?list=all"))
    admin.get_by_role("link", name="Hanna Hop").click()
    expect(admin.get_by_text("Is mijn vergunning klaar?")).to_be_visible()
    admin.get_by_label("Uw antwoord").fill("Ja, u kunt haar ophalen.")
    press(admin, "Verzenden")
    sent = admin.locator(".message", has_text="Ja, u kunt haar ophalen.")
    expect(sent).to_contain_text(re.compile("Afgeleverd|Gelezen"), timeout=SLOW)
    support = road.approver
    support.goto(road.stage.url("operator", "/overview/?q=zwol"))
    expect(support.get_by_role("status").get_by_role("link", name="Zwolle")).to_be_visible()
    look(support)


def wait_for_an_election(road: Road) -> None:
    """Have an election period hold what is started, and what is filled in held to the declaration: then it leaves."""
    admin = road.admin
    thread = admin.url
    admin.goto(road.at("/elections/"))
    admin.get_by_label("Verkiezing", exact=True).fill("Gemeenteraad")
    admin.get_by_label("Eerste dag").fill(road.today)
    admin.get_by_label("Laatste dag").fill("2026-01-01")
    press(admin, "Periode instellen", said="De laatste dag ligt voor de eerste.")
    admin.get_by_label("Laatste dag").fill(road.today)
    press(admin, "Periode instellen", said="De periode is ingesteld.")
    # As if a day had gone by since the citizen wrote.
    road.stage.live.ask(
        "UPDATE {s}.messaging_thread SET last_inbound_at = last_inbound_at - interval '25 hours' RETURNING id",
        schema="zwolle",
    )
    admin.goto(thread)
    admin.get_by_role("link", name="balie_open").click()
    send_filled(admin, "mevrouw Hop", said="Tot de verkiezing begint uw gemeente geen gesprekken")
    look(admin)
    form = admin.url
    admin.goto(road.at("/elections/"))
    admin.get_by_role("link", name="Gemeenteraad beëindigen").click()
    press(admin, "Periode beëindigen", said="De periode is voorbij")
    admin.goto(form)
    send_filled(
        admin, "de kiezers van de verkiezingen", said="woorden die een gemeente niet via WhatsApp mag versturen"
    )
    send_filled(admin, "mevrouw Hop", said="Goedendag mevrouw Hop, op woensdag")
    sent = admin.locator(".message", has_text="Goedendag mevrouw Hop, op woensdag")
    expect(sent).to_contain_text(re.compile("Afgeleverd|Gelezen"), timeout=SLOW)


def send_filled(page: Page, name: str, *, said: str) -> None:
    """Fill a template in, look at it, and send it; said: what is read then."""
    page.get_by_label("naam").fill(name)
    press(page, "Bekijk hoe het eruitziet")
    press(page, "Verzenden", said=said)


def told(road: Road, subject: str, why: str) -> None:
    """Find the mail to the admin, which a worker sends."""
    box = road.theirs

    def is_there() -> bool:
        box.goto(road.at("/mail/"))
        mail = box.locator("section", has_text=subject)
        text = mail.first.inner_text() if mail.count() else ""
        return all(said in text for said in (ADMIN, why, road.at("/")))

    eventually(is_there, seconds=30)


def suspend(road: Road) -> None:
    """Suspend it, with a reason: nothing leaves, what comes in does, and it is said; resumed, what waited leaves."""
    admin, ours = road.admin, road.approver
    ours.goto(road.address)
    ours.get_by_role("link", name="Opschorten").click()
    press(ours, "Opschorten", said="Schrijf op waarom")
    ours.get_by_label("Waarom?").fill("Er wordt iets nagegaan.")
    press(ours, "Opschorten")
    heading(ours, "Opgeschort")
    told(road, "Het verzenden is opgeschort", "Er wordt iets nagegaan.")
    write(road, "En wat kost het?")
    expect(admin.get_by_text("En wat kost het?")).to_be_visible()  # by itself, and with it what is the matter
    expect(admin.get_by_text("Uw aanbieder heeft het verzenden opgeschort.")).to_be_visible()
    admin.reload()  # the 24 hours had been over: the box to answer in comes with the page
    admin.get_by_label("Uw antwoord").fill("Het kost niets.")
    press(admin, "Verzenden")
    waits = admin.locator(".message", has_text="Het kost niets.")
    expect(waits).to_be_visible()
    look(admin)
    sent = [each["body"] for each in road.stage.live.rows("sends", number=META_NUMBER)]
    assert "Het kost niets." not in str(sent)
    expect(waits.locator(".message__tick--queued")).to_be_visible()
    ours.get_by_role("link", name="Hervatten").click()
    press(ours, "Hervatten")
    heading(ours, "Live")
    expect(waits).to_contain_text(re.compile("Afgeleverd|Gelezen"), timeout=SLOW)
    admin.reload()
    expect(admin.get_by_text("opgeschort")).to_have_count(0)
    told(road, "Het verzenden is hervat", "Er wordt iets nagegaan.")


def test_a_municipality_goes_from_an_empty_application_to_its_first_citizen_who_is_answered(road, tmp_path):
    begin(road)
    open_link(road)
    fill_in_together(road)
    sign(road, tmp_path)
    decide(road)
    connect(road)
    register(road)
    join(road)
    answer_too(road)
    write_a_template(road)
    declare_otherwise(road)
    answer(road)
    wait_for_an_election(road)
    suspend(road)
