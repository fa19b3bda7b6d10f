"""A municipality that is live: its admin comes in, writes a template, declares otherwise, answers; then it is ended."""

import re

from playwright.sync_api import Page, expect

from tenants.onboarding.models import Part
from tests.flows.live import eventually
from tests.tenants.road import ANSWERS
from tests.web.joining import OWED, accept, link_in_mail, set_up_app
from tests.web.refusals import bare, forge
from tests.web.road import ADMIN, META_NUMBER, SLOW, Road, heading, look, press


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
    bare(admin)
    purpose.locator("option").last.evaluate("each => { each.value = 'TOURISM' }")
    purpose.select_option("TOURISM")
    press(admin, "Concept opslaan", said="Kies een doel dat uw gemeente heeft aangemeld.")
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
    late = road.contexts[0].new_page()
    late.goto(judge.url)
    for why, said in (("", "Zeg waarom: de gemeente leest het."), ("x" * 1001, "De reden is te lang")):
        bare(judge)
        judge.get_by_label("Waarom").fill(why)
        press(judge, "Weigeren", said=said)
    judge.get_by_label("Waarom").fill("Noem de verkiezingen niet.")
    look(judge)
    press(judge, "Weigeren", said="Het is geweigerd.")
    late.get_by_label("Waarom").fill("Toch wel.")
    press(late, "Vrijgeven", said="Iemand anders heeft intussen beslist.")
    late.close()
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
    for name in ("use_PERMITS", "use_SERVICES"):
        admin.locator(f"#{name}").uncheck()
    press(admin, "Vraag de aanbieder", said="Het is niet gevraagd")
    for name, said in (
        ("use_CRISIS", "Kies ten minste een doel."),
        ("accept_VOTER_DATA", "elk verbod geldt altijd"),
        ("signatory_name", "Vul dit in."),
    ):
        expect(admin.locator(f"#error-{name}")).to_contain_text(said)
    for name in ("use_PERMITS", "use_SERVICES", *ANSWERS[Part.PROHIBITIONS]):
        admin.locator(f"#{name}").check()
    for name in ("signatory_name", "signatory_function"):
        admin.locator(f"#{name}").fill(ANSWERS[Part.SIGNING][name])
    press(admin, "Vraag de aanbieder", said="Deze doelen hebt u al verklaard.")
    admin.locator("#use_TOURISM").check()
    press(admin, "Vraag de aanbieder", said="Het is niet gevraagd")
    expect(admin.locator("#error-describe_TOURISM")).to_contain_text("Vul dit in.")
    admin.locator("#describe_TOURISM").fill("Wandelroutes")
    look(admin)
    twice = road.contexts[3].new_page()
    twice.goto(road.at("/declaration/"))
    press(admin, "Vraag de aanbieder", said="Er wacht een wijziging")
    given = {**ANSWERS[Part.PROHIBITIONS], **ANSWERS[Part.SIGNING], "use_TOURISM": "yes", "describe_TOURISM": "Routes"}
    forge(twice, "details form", **given, said="Er wacht al een andere wijziging.")
    twice.close()
    judge.goto(road.stage.url("operator", "/onboarding/"))
    judge.get_by_role("main").get_by_role("link", name="Zwolle").click()
    late = road.contexts[1].new_page()
    late.goto(judge.url)
    press(judge, "Afwijzen", said="Zeg waarom")
    bare(judge)
    judge.get_by_label("Waarom").fill("x" * 1001)
    press(judge, "Afwijzen", said="De reden is te lang")
    look(judge)
    judge.get_by_label("Waarom").fill("")
    press(judge, "Goedkeuren", said="Het is gedaan")
    late.get_by_label("Waarom").fill("Toch niet.")
    press(late, "Afwijzen", said="Iemand anders heeft intussen beslist.")
    late.close()
    press(admin, "Terugnemen", said="Er is al beslist.")
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
    # Told of their data from the first message on: the application named the page.
    expect(admin.get_by_text(ANSWERS[Part.PRIVACY]["privacy_page"])).to_be_visible(timeout=SLOW)
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
    for name, begins, ends, said in (
        ("", road.today, road.today, "Zeg welke verkiezing het is."),
        ("x" * 101, road.today, road.today, "100 tekens"),
        ("Gemeenteraad", "", road.today, "Geef de eerste en de laatste dag."),
        ("Gemeenteraad", road.today, "2026-01-01", "De laatste dag ligt voor de eerste."),
        ("Gemeenteraad", "2026-01-01", "2026-01-02", "De laatste dag is al voorbij."),
        ("Gemeenteraad", road.today, "2036-01-01", "Een periode duurt hoogstens 120 dagen."),
        ("Gemeenteraad", road.today, road.today, "De periode is ingesteld."),
    ):
        bare(admin)
        for label, value in (("Verkiezing", name), ("Eerste dag", begins), ("Laatste dag", ends)):
            admin.get_by_label(label, exact=True).fill(value)
        press(admin, "Periode instellen", said=said)
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


def end(road: Road) -> None:
    """End it, with a reason and until when it can come to its data: its admin is mailed, and reads it on every page."""
    admin, ours, why = road.admin, road.approver, "De overeenkomst is opgezegd."
    ours.get_by_role("link", name="Beëindigen").click()
    for reason, day, said in (
        ("", road.tomorrow, "Schrijf op waarom"),
        ("x" * 1001, road.tomorrow, "De reden is te lang"),
        (why, "", "Kies een dag na vandaag"),
        (why, road.today, "Kies een dag na vandaag"),
    ):
        bare(ours)
        ours.get_by_label("Waarom?").fill(reason)
        ours.locator("#data_until").fill(day)
        press(ours, "Beëindigen", said=said)
    look(ours)
    ours.locator("#data_until").fill(road.tomorrow)
    press(ours, "Beëindigen")
    heading(ours, "Beëindigd")
    expect(ours.get_by_text("Gegevens tot en met")).to_be_visible()
    told(road, "WhatsApp op dit platform is beëindigd", why)
    admin.reload()
    expect(admin.get_by_text("Uw aanbieder heeft deze werkplek beëindigd")).to_be_visible()
