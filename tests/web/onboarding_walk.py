"""The road of one municipality in real browsers: the BSP's employee, the municipality over its link, who approves.

It takes some minutes of a machine, so it is run by name: `python -m pytest tests/web/onboarding_walk.py`; with
ONBOARDING_SHOTS=FOLDER it keeps a picture of every page, wide and on a phone.
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from config.local.sign_ins import code
from tenants.onboarding.models import Part
from tests.flows.live import Live, eventually
from tests.tenants.road import ANSWERS, PDF
from tests.web.stage import PASSWORD, PEOPLE, PHONE, WIDE, Stage, browser, violations

WABA, META_NUMBER = "555000000193", "666000000193"
expect.set_options(timeout=60_000)  # a tenant is made in one of these steps
SHOTS = os.environ.get("ONBOARDING_SHOTS")  # a folder: keep pictures of each page there


@pytest.fixture(scope="module")
def empty(tmp_path_factory) -> Iterator[Stage]:
    """Run a platform with no municipality, and two of the BSP's people."""
    live = Live(tmp_path_factory.mktemp("road"), durable=False)
    try:
        live.start_processes()
        stage = Stage(live=live)
        for word in ("onboarding", "operator"):
            schema, role, name = PEOPLE[word]
            made = live.instance.manage(
                *("create_user", schema, "--email", f"{word}@voorbeeld.example", "--name", name),
                *("--role", role, "--password", "-", "--totp"),
                given=PASSWORD,
            )
            stage.apps[word] = json.loads(made)["totp_secret"]
        yield stage
    finally:
        live.stop()


@pytest.fixture(scope="module")
def opened() -> Iterator[Browser]:
    """Return a browser of the module's own."""
    with browser() as found:
        yield found


def _sign_in(stage: Stage, context: BrowserContext, word: str) -> Page:
    """Sign somebody in; the first answer of a platform that has just come up takes its time."""
    page = context.new_page()
    page.goto(stage.url(word))
    page.get_by_label("E-mail").fill(f"{word}@voorbeeld.example")
    page.get_by_label("Wachtwoord").fill(PASSWORD)
    page.get_by_role("button", name="Inloggen", exact=True).click()
    page.wait_for_url("**/sign-in/second-step/")
    page.get_by_label("Code", exact=True).fill(code(secret=stage.apps[word]))
    page.get_by_role("button", name="Verder", exact=True).click()
    page.wait_for_url(lambda url: "/sign-in/" not in url)
    return page


def _look(page: Page, name: str) -> None:
    """Hold a page to WCAG, wide and on a phone, and keep a picture where one is wanted."""
    for size in (WIDE, PHONE):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        assert violations(page) == [], name
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (
            f"{name} is wider than a phone"
        )
        if SHOTS:
            page.screenshot(path=Path(SHOTS) / f"{name}-{size[0]}.png", full_page=True)
    page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})


def _answer(page: Page, part: Part, *, signed: str) -> None:
    for name, value in {**ANSWERS[part], **({"signed_date": signed} if part is Part.SIGNING else {})}.items():
        if value == "yes":
            page.locator(f"#{name}").check()
        elif name == "number_now":
            page.locator(f"input[name=number_now][value={value}]").check()
        else:
            page.locator(f"#{name}").fill(value)


def _step(page: Page, step: str) -> None:
    page.locator(f"#step-{step}").get_by_role("button").click()
    expect(page.locator(f"#step-{step}")).to_contain_text("Gelukt")


def test_a_municipality_goes_from_an_empty_application_to_live(empty, opened, tmp_path):
    ours = opened.new_context(viewport={"width": WIDE[0], "height": WIDE[1]})
    theirs = opened.new_context(viewport={"width": WIDE[0], "height": WIDE[1]})
    approver = opened.new_context(viewport={"width": WIDE[0], "height": WIDE[1]})
    complaints: list[str] = []
    for each in (ours, theirs, approver):
        each.set_default_timeout(60_000)
        each.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
    page = _sign_in(empty, ours, "onboarding")

    # The register, and the one onboarding of each.
    page.goto(empty.url("onboarding", "/onboarding/"))
    page.get_by_label("Naam, provincie of CBS-code").fill("zwolle")
    page.get_by_role("button", name="Zoeken").click()
    _look(page, "register")
    page.get_by_role("button", name="Beginnen Zwolle").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Zwolle")
    page.goto(empty.url("onboarding", "/onboarding/?q=Zwolle"))
    expect(page.get_by_role("button", name="Beginnen")).to_have_count(0)
    page.get_by_role("link", name="Zwolle").first.click()
    expect(page.get_by_text("Dit ontbreekt nog:")).to_be_visible()
    _look(page, "onboarding-empty")
    address = page.url

    # The BSP fills in the organisation; what is wrong is said while it is typed, and nothing is lost.
    page.get_by_role("link", name="Organisatie").click()
    page.locator("#kvk_number").press_sequentially("1234567")
    expect(page.locator("#error-kvk_number")).to_contain_text("acht cijfers")
    page.locator("#oin").fill("00000001823288445000")
    page.get_by_role("button", name="Opslaan", exact=True).click()
    expect(page.locator("#oin")).to_have_value("00000001823288445000")
    expect(page.locator("#error-oin")).to_contain_text("RSIN")
    _look(page, "organisation-wrong")
    _answer(page, Part.ORGANISATION, signed="")
    page.get_by_role("button", name="Opslaan en verder").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Contact en nummer")

    # The municipality over its link.
    page.goto(address)
    page.get_by_label("Naam van wie het bij de gemeente invult").fill("Sanne Vos")
    page.get_by_role("button", name="Link maken").click()
    link = page.locator("#made-link").inner_text()
    assert "/application/#" in link
    away = theirs.new_page()
    away.goto(link.split("#")[0])
    away.get_by_label("Code").fill("verzonnen")
    away.get_by_role("button", name="Openen").click()
    expect(away.get_by_role("alert")).to_contain_text("werkt niet")
    asked: list[str] = []
    away.on("request", lambda request: asked.append(request.url))
    away.goto("about:blank")
    away.goto(link)
    expect(away.get_by_role("heading", level=1)).to_contain_text("Aanvraag voor WhatsApp: Zwolle")
    secret = link.split("#")[1]
    assert not [url for url in asked if secret in url.split("#")[0]]
    _look(away, "application")
    today = away.evaluate("new Date().toISOString().slice(0, 10)")
    away.get_by_role("link", name="Contact en nummer").click()
    away.locator("#whatsapp_number").press_sequentially("14 038")
    expect(away.locator("#error-whatsapp_number")).to_contain_text("kan niet op WhatsApp")
    for part in (Part.CONTACTS, Part.PRIVACY, Part.PURPOSES, Part.PROHIBITIONS):
        _answer(away, part, signed="")
        _look(away, f"part-{part.lower()}")
        away.get_by_role("button", name="Opslaan en verder").click()
    _answer(away, Part.SIGNING, signed=today)

    # Both at once: who comes second is told, sees the other's answer, and loses nothing.
    page.goto(f"{address}part/signing/")
    page.locator("#signatory_name").fill("Iemand anders")
    away.get_by_role("button", name="Opslaan", exact=True).click()
    expect(away.get_by_role("heading", level=1)).to_contain_text("Aanvraag")
    page.get_by_role("button", name="Opslaan", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Sanne Vos heeft dit deel intussen opgeslagen")
    expect(page.locator("#signatory_name")).to_have_value("Iemand anders")
    expect(page.locator(".field-theirs").first).to_contain_text("P. Jansen")
    _look(page, "changed-meanwhile")

    # Signed, uploaded back, handed in.
    with away.expect_download() as download:
        away.get_by_role("link", name="Aanvraag om te ondertekenen").click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF-")
    (tmp_path / "nep.pdf").write_bytes(b"<html></html>")
    (tmp_path / "getekend.pdf").write_bytes(PDF)
    away.get_by_label("Ondertekende aanvraag").set_input_files(tmp_path / "nep.pdf")
    away.get_by_role("button", name="Uploaden").click()
    expect(away.get_by_text("Dit bestand is geen PDF.")).to_be_visible()
    away.get_by_label("Ondertekende aanvraag").set_input_files(tmp_path / "getekend.pdf")
    away.get_by_role("button", name="Uploaden").click()
    expect(away.get_by_text("Niets: de BSP kan de aanvraag")).to_be_visible()
    page.goto(address)
    expect(page.get_by_text("SHA-256")).to_be_visible()
    _look(page, "onboarding-complete")
    page.get_by_role("button", name="Indienen ter goedkeuring").click()

    # Four eyes.
    page.get_by_role("link", name="Goedkeuren").click()
    page.get_by_role("button", name="Goedkeuren").click()
    expect(page.get_by_text("U heeft zelf aan deze aanvraag gewerkt")).to_be_visible()
    other = _sign_in(empty, approver, "operator")
    other.goto(address)
    other.get_by_role("link", name="Afwijzen").click()
    other.get_by_role("button", name="Afwijzen").click()
    expect(other.get_by_role("alert")).to_contain_text("Schrijf op waarom")
    other.get_by_role("link", name="Annuleren").click()
    other.get_by_role("link", name="Goedkeuren").click()
    _look(other, "decide")
    other.get_by_role("button", name="Goedkeuren").click()
    expect(other.get_by_role("heading", level=1)).to_contain_text("Goedgekeurd")

    # To Meta, in its window.
    page.goto(f"{address}connect/")
    _look(page, "connect")
    with page.expect_popup() as popup:
        page.get_by_role("button", name="Venster van Meta openen").click()
    popup.value.get_by_role("button", name="Cancel").click()
    expect(page.locator("#signup-said")).to_contain_text("verlaten")
    with page.expect_popup() as popup:
        page.get_by_role("button", name="Venster van Meta openen").click()
    for name, value in (
        ("waba_id", WABA),
        ("name", "Zwolle"),
        ("phone_number_id", META_NUMBER),
        ("display_phone_number", "+31 38 4989111"),
    ):
        popup.value.locator(f"[name={name}]").fill(value)
    popup.value.get_by_role("button", name="Finish").click()
    expect(page.locator("#step-SIGNUP")).to_contain_text("Gelukt")
    for step in ("TENANT", "SUBSCRIBE", "CREDIT"):
        _step(page, step)
    for step in ("GOVERNMENT_FORM", "GOVERNMENT_APPROVAL"):
        page.locator(f"#day-{step}").fill(today)
        page.locator(f"#reference-{step}").fill("GOV-17")
        _step(page, step)
        if step == "GOVERNMENT_FORM":
            page.goto(address)
            page.get_by_role("button", name=re.compile("Wacht op goedkeuring")).click()
            page.goto(f"{address}connect/")
    for step in ("STORAGE", "REGISTER"):
        _step(page, step)
    _look(page, "connect-registered")
    page.goto(address)
    page.get_by_role("button", name="Geregistreerd").click()
    page.goto(f"{address}connect/")
    for step in ("PROFILE", "READ_BACK"):
        _step(page, step)

    def installed() -> bool:
        page.locator("#step-INSTALLED").get_by_role("button").click()
        page.wait_for_load_state()
        return "Gelukt" in page.locator("#step-INSTALLED").inner_text()

    eventually(installed)
    page.goto(address)
    page.get_by_role("button", name="Live zetten").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Live")
    _look(page, "onboarding-live")
    assert complaints == []
    for each in (ours, theirs, approver):
        each.close()
