"""From an approved application to a number that is registered at Meta, step by step."""

import json
import urllib.request
from urllib.parse import urlsplit
from uuid import uuid4

from playwright.sync_api import Page, expect

from tests.flows.live import TOWNS, eventually
from tests.web.beside import Beside, beside
from tests.web.refusals import bare, claim_wrongly, name_by_hand, name_wrongly
from tests.web.road import META_NUMBER, SLOW, Road, heading, look, press

WABA = "555000000193"
FORGING_WABA, LATE_WABA, EMPTY_WABA = "555000000195", "555000000196", "555000000197"
OURS = "+31 38 4989111"
OLD_PIN = "123456"  # which the number has from where it was before


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


LEASED = """
    UPDATE public.tenants_connectionstep
    SET state = %s, claim = %s, leased_until = now() + interval '1 minute' * %s
    WHERE step = 'SIGNUP' AND onboarding_id = %s RETURNING id
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
    """Leave Meta's window, have it fail, lie, come too late, and end with no number, another, or too many."""
    page, post = road.ours, road.stage.live.post
    step, event = page.locator("#step-SIGNUP"), page.locator("#signup [name=event]")
    page.goto(f"{road.address}connect/")
    claim_wrongly(page)
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
    sign_up(road, EMPTY_WABA, "", "", said="Er staat nog geen nummer in het account")
    look(page)
    take(road, "SIGNUP", "Er staat nog geen nummer in het account")
    add_number(road, EMPTY_WABA, "206240000")
    take(road, "SIGNUP", "een ander nummer dan in de aanvraag")
    ours = add_number(road, EMPTY_WABA, "384989111")
    take(road, "SIGNUP", "Er staan meer nummers in het account")
    name_wrongly(page, EMPTY_WABA)
    name_by_hand(page, EMPTY_WABA, ours, said="Gelukt")
    onboarding = road.address.split("/")[-2]
    road.stage.live.ask(LEASED, "RUNNING", uuid4(), 1, onboarding)  # as by somebody who is quicker
    take(road, "SIGNUP", "")
    expect(page.get_by_text("Deze stap wordt al uitgevoerd")).to_be_visible()
    road.stage.live.ask(LEASED, "DONE", None, None, onboarding)
    page.reload()
    press_last(window(road), "#cancel")
    expect(page.get_by_text("Wat eerder is overgenomen blijft gelden")).to_be_visible()
    expect(step).to_contain_text("Gelukt")


def add_number(road: Road, waba_id: str, digits: str) -> str:
    """Add a number to an account, as the municipality does at Meta; return its id."""
    body = json.dumps({"country_code": "31", "phone_number": digits, "verified_name": "Zwolle"}).encode()
    token = road.stage.live.instance.environ["META_SYSTEM_TOKEN"]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    url = f"{road.stage.live.instance.urls.sandbox}/v24.0/{waba_id}/phone_numbers"
    with urllib.request.urlopen(urllib.request.Request(url, data=body, headers=headers), timeout=20) as answer:
        return str(json.load(answer)["id"])


def connect(road: Road) -> None:
    """Take over a number that is still in the Business app on a phone; make the tenant; have its messages paid for."""
    with beside(road.stage.live, META_CREDIT_LINE_ID="") as unpaid:
        fail_to_sign_up(road)
        sign_up(road, WABA, META_NUMBER, OURS, said=META_NUMBER, on_phone=True)
        expect(road.ours.get_by_text("ook in de Business-app op een telefoon")).to_be_visible()
        meet_another_number(road)
        meet_what_no_tenant_is_made_of(road)
        take(road, "TENANT")
        subscribe(road, unpaid)


def subscribe(road: Road, unpaid: Beside) -> None:
    """Subscribe to its messages and share the credit line: unanswered, shut out, without a line, forgotten."""
    page, post = road.ours, road.stage.live.post
    for fault, said in (
        ({"kind": "disconnect_before"}, "Meta gaf geen antwoord"),
        ({"kind": "error", "code": 190}, "Meta neemt de toegangssleutel niet (meer) aan"),
    ):
        post("faults", {"calls": [{**fault, "operation": "POST subscribed_apps"}]})
        take(road, "SUBSCRIBE", said)
    post("switches", {"forgets": ["subscription", "credit", "storage"]})
    take(road, "SUBSCRIBE", "Meta nam de aanmelding aan, maar toont haar niet.")
    post("switches", {"forgets": ["credit", "storage"]})
    take(road, "SUBSCRIBE")
    own = page.url
    page.goto(unpaid.url(urlsplit(own).path))
    take(road, "CREDIT", "geen kredietlijn ingesteld")
    page.goto(own)
    take(road, "CREDIT", "Meta nam de kredietlijn aan, maar toont haar niet.")
    post("switches", {"forgets": ["storage"]})
    take(road, "CREDIT")


# As if another municipality on the platform had the number; its account is its own, so that nothing is told it.
TAKEN = """
    INSERT INTO public.tenants_number (municipality_id, phone_number_id, waba_id, display_phone_number,
        messages_per_second, pseudonym_key_encrypted, opened_at)
    SELECT municipality_id, %s, waba_id, %s, messages_per_second, pseudonym_key_encrypted, opened_at
    FROM public.tenants_number WHERE phone_number_id = %s RETURNING id
"""


def meet_another_number(road: Road) -> None:
    """Find that the number is another municipality's, or no longer the application's."""
    page, ask = road.ours, road.stage.live.ask
    display = "UPDATE public.tenants_connection SET display_phone_number = %s WHERE phone_number_id = %s RETURNING id"
    ask(display, "+31206240000", META_NUMBER)
    take(road, "TENANT", "een ander nummer dan in de aanvraag")
    ask(display, "+31384989111", META_NUMBER)
    ((taken,),) = ask(TAKEN, META_NUMBER, "+31384989111", TOWNS["utrecht"][3])
    take(road, "TENANT", "al van een andere gemeente")
    take(road, "SIGNUP", "Dit nummer is al van een andere gemeente")
    take(road, "TENANT", "")
    expect(page.get_by_text("Eerst moet een eerdere stap lukken")).to_be_visible()
    ask("DELETE FROM public.tenants_number WHERE id = %s RETURNING id", taken)
    take(road, "SIGNUP")


NEWER = """
    INSERT INTO public.tenants_registeredition (version, sha256, entries, taken_at)
    VALUES ('zonder Zwolle', '', '[]', now()) RETURNING id
"""
NAMED = "UPDATE public.tenants_connection SET waba_id = %s WHERE phone_number_id = %s RETURNING id"


def meet_what_no_tenant_is_made_of(road: Road) -> None:
    """Find that the municipality is in the register no longer, or that Meta's account is named as none can be."""
    ask = road.stage.live.ask
    ((newer,),) = ask(NEWER)
    take(road, "TENANT", "staat niet (meer) in het register")
    ask("DELETE FROM public.tenants_registeredition WHERE id = %s RETURNING id", newer)
    ask(NAMED, "WABA", META_NUMBER)
    take(road, "TENANT", "zoals het hier niet kan worden bewaard")
    ask(NAMED, WABA, META_NUMBER)


OF_NUMBER = "WHERE number_id = (SELECT id FROM public.tenants_number WHERE phone_number_id = %s)"
TOLD = f"SELECT connection FROM public.tenants_numberhealth {OF_NUMBER}"
TELL = f"UPDATE public.tenants_numberhealth SET connection = %s {OF_NUMBER} RETURNING id"


def register(road: Road) -> None:
    """Have Meta approve, then register a number that was on a phone, then at another BSP, and has a PIN from there."""
    page, post, ask = road.ours, road.stage.live.post, road.stage.live.ask
    for day, reference, said in (
        ("", "GOV-17", "Vul de dag in."),
        (road.tomorrow, "GOV-17", "Die dag is nog niet geweest."),
        (road.today, "", "Vul het kenmerk van Meta in."),
    ):
        bare(page)
        page.locator("#day-GOVERNMENT_FORM").fill(day)
        page.locator("#reference-GOVERNMENT_FORM").fill(reference)
        take(road, "GOVERNMENT_FORM", said)
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
    take(road, "STORAGE", "Meta nam de keuze aan, maar toont haar niet.")
    post("switches", {"forgets": []})
    take(road, "STORAGE")
    take(road, "REGISTER", "nog niet bewezen")
    page.locator("#method option").first.evaluate("each => { each.value = 'PIGEON' }")
    take(road, "REQUEST_CODE", "Kies sms of gesprek.")
    take(road, "REQUEST_CODE")
    code = road.stage.live.get(f"numbers/{META_NUMBER}")["verification_code"]
    for given, said in (
        ("12", "De code heeft zes cijfers"),
        ("000000" if code != "000000" else "000001", "Meta neemt deze code niet aan"),
        (code, "Gelukt"),
    ):
        page.locator("#code").fill(given)
        take(road, "VERIFY_CODE", said)
    take(road, "REGISTER", "De pincode is niet die van het nummer")
    page.locator("#pin").fill("12")
    take(road, "REGISTER", "Een pincode heeft zes cijfers.")
    for switches, said in (
        ({"most_wrong_pins": 1}, "Er is te vaak een verkeerde pincode ingevuld"),
        ({"most_wrong_pins": 5, "most_registrations": 0}, "binnen 72 uur te vaak geregistreerd"),
    ):
        post("switches", switches)
        take(road, "REGISTER", said)
    post("switches", {"most_registrations": 10})
    page.locator("#pin").fill(OLD_PIN)
    take(road, "REGISTER")
    look(page)
    go_on(road, "Geregistreerd")
    take(road, "PROFILE")
    post(f"numbers/{META_NUMBER}", {"status": "DISCONNECTED"})
    take(road, "READ_BACK", "niet (meer) geregistreerd")
    post(f"numbers/{META_NUMBER}", {"status": "CONNECTED"})
    take(road, "READ_BACK")
    expect(page.get_by_text("Business-app")).to_have_count(0)
    eventually(
        lambda: (
            ask(f"SELECT connection FROM public.tenants_numberhealth {OF_NUMBER}", META_NUMBER)
            == [("PARTNER_APP_INSTALLED",)]
        )
    )
    ask(TELL, "", META_NUMBER)  # as before Meta told it
    take(road, "INSTALLED", "Meta heeft het nog niet bevestigd")
    ask(TELL, "PARTNER_APP_INSTALLED", META_NUMBER)
    take(road, "INSTALLED")
    go_on(road, "Live zetten")
    heading(page, "Live")
