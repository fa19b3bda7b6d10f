"""From an empty application to one that is approved: filled in from two sides, signed, rejected, handed in again."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tenants.onboarding.models import Part
from tests.tenants.road import ANSWERS, PDF
from tests.web.refusals import answer_wrongly, bare, forge, try_too_often, upload_wrongly
from tests.web.road import Road, fill, heading, look, press

COMPLETE = "Niets: de BSP kan de aanvraag"


def begin(road: Road) -> None:
    """Find the municipality in the register, begin, and fill in the first part: what is wrong is said."""
    page = road.ours
    page.goto(road.stage.url("onboarding", "/onboarding/"))
    page.get_by_label("Naam, provincie of CBS-code").fill("zwolle")
    press(page, "Zoeken")
    expect(page.get_by_text("342 gemeenten")).to_be_visible()
    expect(page.get_by_role("link", name="Bron")).to_be_visible()
    press(page, "Beginnen Zwolle")
    heading(page, "Zwolle")
    road.address = page.url
    expect(page.get_by_text("Dit ontbreekt nog:")).to_be_visible()
    for missing in ("er is nog geen doel gekozen", "is nog niet geüpload", "Privacypagina van de gemeente is nog niet"):
        expect(page.get_by_text(missing)).to_be_visible()
    expect(page.get_by_role("button", name="Indienen ter goedkeuring")).to_have_count(0)
    page.get_by_role("link", name="Organisatie").click()
    page.locator("#kvk_number").press_sequentially("1234567")
    expect(page.locator("#error-kvk_number")).to_contain_text("acht cijfers")  # by itself, while it is typed
    answer_wrongly(page, Part.ORGANISATION)
    look(page)
    fill(page, Part.ORGANISATION)
    press(page, "Opslaan en verder")
    heading(page, "Contact en nummer")


def open_link(road: Road) -> None:
    """Come in over the link, whose secret no server is told; a wrong one opens nothing."""
    page, away, asked = road.ours, road.theirs, []
    page.goto(road.address)
    bare(page)
    press(page, "Link maken", said="Schrijf op aan wie u de link geeft.")
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
        answer_wrongly(away, part)
        fill(away, part)
        press(away, "Opslaan en verder")
    heading(away, "Ondertekening")
    answer_wrongly(away, Part.SIGNING)
    fill(away, Part.SIGNING, signed_date=road.tomorrow)
    press(away, "Opslaan", said="Datum van ondertekening ligt in de toekomst")
    away.get_by_role("link", name="Ondertekening").click()
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
    """Download the application, and upload it signed: no other file is taken, nor what was changed after signing."""
    away, late = road.theirs, road.contexts[0].new_page()
    with away.expect_download() as download:
        away.get_by_role("link", name="Aanvraag om te ondertekenen").click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF-")
    upload_wrongly(away)
    upload(road, folder)
    look(away)
    late.goto(road.address)
    change(away, "signatory_function", "Wethouder", said="Na het ondertekenen is er iets gewijzigd")
    press(late, "Indienen ter goedkeuring", said="Deze stap kan nog niet: er ontbreekt iets.")
    late.close()
    change(away, "signatory_function", ANSWERS[Part.SIGNING]["signatory_function"], said=COMPLETE)


def upload(road: Road, folder: Path) -> None:
    """Upload the signed copy."""
    (folder / "getekend.pdf").write_bytes(PDF)
    road.theirs.get_by_label("Ondertekende aanvraag").set_input_files(folder / "getekend.pdf")
    press(road.theirs, "Uploaden", said=COMPLETE)


def change(away: Page, name: str, answer: str, *, said: str, part: str = "Ondertekening") -> None:
    """Change one answer at the municipality; said: what the overview says then."""
    away.get_by_role("link", name=part).click()
    away.locator(f"#{name}").fill(answer)
    press(away, "Opslaan", said=said)


def hand_in(road: Road) -> None:
    """Hand it in: not from a stage in which it is not; who had it open is told, here and at the municipality."""
    page, late, away = road.ours, road.contexts[0].new_page(), road.theirs
    page.goto(road.address)
    late.goto(road.address)
    away.get_by_role("link", name="Ondertekening").click()
    forge(page, "form[action$='/move/']", seen="LIVE", to="DECLARED", said="Deze stap bestaat niet vanuit de fase")
    press(page, "Indienen ter goedkeuring")
    heading(page, "Verklaard")
    press(late, "Indienen ter goedkeuring", said="Iemand anders heeft de aanmelding intussen naar een andere fase")
    late.close()
    press(away, "Opslaan", said="De aanvraag is al ingediend en kan niet worden gewijzigd.")


def reject(road: Road, folder: Path) -> None:
    """Reject it, with a reason that the municipality reads; it changes that, signs anew, and it is handed in again."""
    page, away, other, why = road.ours, road.theirs, road.approver, "Het doel vergunningen is te vaag."
    page.get_by_role("link", name="Goedkeuren").click()
    press(page, "Goedkeuren", said="U heeft zelf aan deze aanvraag gewerkt")
    other.goto(road.address)
    other.get_by_role("link", name="Afwijzen").click()
    press(other, "Afwijzen", said="Schrijf op waarom")
    look(other)
    bare(other)
    other.get_by_label("Waarom?").fill("x" * 1001)
    press(other, "Afwijzen", said="De reden is te lang")
    other.get_by_label("Waarom?").fill(why)
    press(other, "Afwijzen")
    heading(other, "Afgewezen")
    away.get_by_role("link", name="Terug naar de aanvraag").click()
    expect(away.get_by_text(why)).to_be_visible()
    look(away)
    page.goto(road.address)
    press(page, "Terugnemen om te wijzigen")
    heading(page, "Aangevraagd")
    expect(page.get_by_text(why).first).to_be_visible()
    away.reload()
    expect(away.get_by_text(why)).to_be_visible()
    better = "Vragen over aanvragen voor een omgevingsvergunning beantwoorden"
    change(away, "describe_PERMITS", better, part="Doelen", said="Na het ondertekenen is er iets gewijzigd")
    upload(road, folder)
    page.reload()
    press(page, "Indienen ter goedkeuring")
    heading(page, "Verklaard")
    away.reload()
    expect(away.get_by_text(why)).to_have_count(0)


def decide(road: Road) -> None:
    """Approve it; then the link is ended, which is said, and codes are tried until no more are taken."""
    page, other, away = road.ours, road.approver, road.theirs
    other.goto(road.address)
    expect(other.get_by_text("Dit doet wie de aanmelding begeleidt.")).to_be_visible()
    look(other)
    other.get_by_role("link", name="Goedkeuren").click()
    press(other, "Goedkeuren")
    heading(other, "Goedgekeurd")
    page.goto(road.address)
    # The tenant's own step alone moves it there.
    forge(page, "form[action$='/move/']", to="CONNECTED", said="Hier is niets")
    page.goto(road.address)
    page.locator("form[action*='/links/'] button", has_text="Sanne Vos").click()
    expect(page.get_by_text("De link werkt niet meer.")).to_be_visible()
    away.reload()
    expect(away.get_by_text("Deze link werkt niet, of niet meer")).to_be_visible()
    try_too_often(away)
