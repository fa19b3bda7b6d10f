"""What the road to live refuses, tried on its pages: wrong answers, forged forms, and what Meta's side cannot be.

What a browser would not send by itself is sent by a page whose limits are taken off: the server refuses it too.
"""

import re
from collections.abc import Mapping

from playwright.sync_api import Page, expect

from tenants.onboarding.models import COPY_BYTES, Part

# Of each question: what is answered, and what is read below it, while it is typed and when it is saved.
WRONG: Mapping[Part, tuple[tuple[str, str, str], ...]] = {
    Part.ORGANISATION: (
        ("legal_entity", "a" * 201, "te lang"),
        ("kvk_number", "00000000", "acht cijfers"),
        ("oin", "123", "twintig cijfers"),
        ("oin", "10000001823288444000", "zeven nullen"),
        ("oin", "00000001823288445000", "Dit RSIN bestaat niet"),
        ("vat_number", "NL004495446B01", "geen Nederlands btw-nummer"),
        ("visiting_postcode", "0123 AB", "ziet eruit als 1234 AB"),
        ("postal_postcode", "12", "ziet eruit als 1234 AB"),
    ),
    Part.CONTACTS: (
        ("contact_email", "sanne@", "geen e-mailadres"),
        ("contact_phone", "12", "bestaat niet"),
        ("invoice_email", "facturen", "geen e-mailadres"),
        ("admin_email", "beheer", "geen e-mailadres"),
        ("whatsapp_number", "0800 1351", "kan niet op WhatsApp"),
    ),
    Part.PRIVACY: (
        ("officer_email", "fg", "geen e-mailadres"),
        ("officer_phone", "06", "bestaat niet"),
        ("privacy_page", "www.zwolle.example/privacy", "begint met https://"),
        ("agreement_date", "2026-02-30", "geen datum"),
    ),
    Part.SIGNING: (("signed_date", "gisteren", "geen datum"),),
}
# What no browser sends by itself, and is judged when it is saved: how the page is made to, and what is read then.
FORGED: Mapping[Part, tuple[str, str, str]] = {
    Part.ORGANISATION: ("visiting_address", "each.type = 'hidden'; each.value = 'a\\nb'", "op één regel"),
    Part.CONTACTS: ("number_now", "each.value = 'MARS'; each.checked = true", "Kies een van de antwoorden"),
    Part.PURPOSES: ("describe_PERMITS", "each.value = 'x'.repeat(1001)", "te lang"),
    Part.PROHIBITIONS: ("accept_PROMOTION", "each.value = 'misschien'; each.checked = true", "Vink dit aan"),
}
BARE = """() => {
    for (const form of document.forms) form.noValidate = true;
    for (const each of document.querySelectorAll("[maxlength]")) each.removeAttribute("maxlength");
    for (const each of document.querySelectorAll("input[type=date]")) each.type = "text";
}"""
SUBMIT = """([form, path, given]) => {
    const found = document.querySelector(form);
    if (path) found.action = path;
    for (const [name, value] of Object.entries(given)) {
        let field = found.elements[name];
        if (!field || field.type === "submit") {  // a button is sent by who presses it alone
            field = found.appendChild(document.createElement("input"));
            field.type = "hidden";
            field.name = name;
        }
        if (field.type === "checkbox") field.checked = true;
        else field.value = value;
    }
    found.submit();
}"""
ATTEMPTS = """async () => {
    const given = new FormData(document.getElementById("door"));
    for (let time = 0; time < 10; time++) await fetch(location.href, { method: "POST", body: given });
}"""


def bare(page: Page) -> None:
    """Take off what a page holds back by itself."""
    page.evaluate(BARE)


def forge(page: Page, form: str, *, said: str, path: str = "", **given: str) -> None:
    """Send a form of the page as no button of it does; said: what is read then."""
    with page.expect_navigation():
        page.evaluate(SUBMIT, [form, path, given])
    expect(page.get_by_text(said).first).to_be_visible()


def type_in(page: Page, name: str, answer: str) -> None:
    """Type an answer and leave the field; once more when the browser took the text to where the focus no longer was."""
    field = page.locator(f"#{name}")
    for _ in range(3):
        field.fill(answer)
        if field.input_value() == answer:
            break
    expect(field).to_have_value(answer)
    field.blur()


def answer_wrongly(page: Page, part: Part) -> None:
    """Answer each question of a part as it cannot be: it is said while it is typed, and when it is saved; all stays."""
    bare(page)
    for name, answer, said in WRONG.get(part, ()):
        type_in(page, name, answer)
        expect(page.locator(f"#error-{name}")).to_contain_text(said)
    forged = FORGED.get(part)
    if forged is not None:
        page.locator(f"[name={forged[0]}]").first.evaluate(f"each => {{ {forged[1]} }}")
    page.get_by_role("button", name="Opslaan", exact=True).click()
    if forged is not None:
        expect(page.locator(f"#error-{forged[0]}")).to_contain_text(forged[2])
    for name, (answer, said) in {name: (answer, said) for name, answer, said in WRONG.get(part, ())}.items():
        expect(page.locator(f"#error-{name}")).to_contain_text(said)
        expect(page.locator(f"#{name}")).to_have_value("" if name.endswith("_date") else answer)  # no date in a date


def upload_wrongly(page: Page) -> None:
    """Upload nothing, too much, and what is no PDF."""
    upload, button = page.get_by_label("Ondertekende aanvraag"), page.get_by_role("button", name="Uploaden")
    large = b"%PDF-" + b"x" * COPY_BYTES + b"%%EOF"
    for content, said in (
        (b"", "Kies een bestand."),
        (large, "ten hoogste 10 MB"),
        (b"<html></html>", "Dit bestand is geen PDF."),
    ):
        bare(page)
        if content:
            upload.set_input_files({"name": "nep.pdf", "mimeType": "application/pdf", "buffer": content})
        button.click()
        expect(page.get_by_text(said).first).to_be_visible()


def try_too_often(page: Page) -> None:
    """Try codes until no more are taken from here."""
    page.get_by_label("Code").fill("verzonnen")
    page.evaluate(ATTEMPTS)
    page.get_by_role("button", name="Aanvraag openen").click()
    expect(page.get_by_role("alert")).to_contain_text("Te veel pogingen")


def claim_wrongly(page: Page) -> None:
    """Say of a signup what cannot be, and ask for steps whose turn it is not."""
    step = re.sub("connect/$", "connect/step/{}/", page.url)
    forge(page, "#signup", path=step.format("signup"), said="Er is nog niets verbonden")
    forge(page, "#signup", path=step.format("register"), said="Deze stap kan niet in deze fase.")
    finished = '{"type": "WA_EMBEDDED_SIGNUP", "event": "FINISH", "data": {"waba_id": "%s"}}'
    forge(page, "#signup", code="AQx", event="{}", said="gaf geen bruikbaar antwoord")
    forge(page, "#signup", code="AQx", event=finished % "", said="Er is geen account gekozen")
    forge(page, "#signup", code="A x", event=finished % "555000000193", said="Meta gaf geen code")


def name_wrongly(page: Page, waba_id: str) -> None:
    """Connect by hand to what is no account, no number of it, or with no token."""
    for account, number, token, said in (
        ("abc", "666000000193", "", "alleen cijfers"),
        (waba_id, "666000000193", "geen teken", "geen toegangssleutel van Meta"),
        (waba_id, "666000000999", "", "Dit nummer staat niet in dit account"),
    ):
        name_by_hand(page, account, number, token=token, said=said)


def name_by_hand(page: Page, waba_id: str, number: str, *, token: str = "", said: str) -> None:
    """Connect by hand; said: what then stands at the step."""
    page.get_by_text("Met de hand", exact=True).click()
    for name, value in (("waba_id", waba_id), ("phone_number_id", number), ("token", token)):
        page.locator(f"#{name}").fill(value)
    page.get_by_role("button", name="Overnemen", exact=True).click()
    expect(page.locator("#step-SIGNUP")).to_contain_text(said)
