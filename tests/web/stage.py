"""A running platform with something to see on every page, and a browser in which people sign in to it."""

import base64
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from playwright.sync_api import Browser, BrowserContext, BrowserType, Response, sync_playwright
from playwright.sync_api import Page as OpenPage
from psycopg import sql

from config.local.folders import ROOT
from config.local.sign_ins import code
from tests.flows.live import TOWNS, Live
from tests.web.pages import NOBODY, PAGES, ROWS, Page
from tests.web.props import SET_UP_PAGES

PASSWORD = "een-lang-wachtwoord-1"
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
PEOPLE = {  # by word: schema, role, name
    "agent": ("utrecht", "agent", "Kim Kanaal"),
    "admin": ("utrecht", "admin", "Bea Beheer"),
    "supervisor": ("utrecht", "supervisor", "Sem Super"),
    "privacy": ("utrecht", "privacy_officer", "Pia Privé"),
    "purse": ("utrecht", "finance", "Fien Financiën"),
    "guessed": ("utrecht", "finance", "Guus Geraden"),  # locked out by who guesses at their password
    "operator": ("public", "bsp_operator", "Otto Operator"),
    "support": ("public", "bsp_support", "Sanne Support"),
    "onboarding": ("public", "bsp_onboarding", "Olga Onboarding"),
    "finance": ("public", "bsp_finance", "Farid Finance"),
    "second": ("public", "bsp_finance", "Tineke Toezicht"),
}
FRESH_SECONDS = 200  # what asks for a fresh sign-in takes one of five minutes ago
WIDE, PHONE = (1280, 900), (360, 740)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
AXE_OF_COLOURS = ["color-contrast", "link-in-text-block"]
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# Of all that it finds out it brings back what is wrong; null: the page does not have it yet.
RUN_AXE = """
chosen => window.axe ? axe.run(document, {runOnly: chosen, resultTypes: ['violations']}).then(found =>
    found.violations.flatMap(each => each.nodes.map(node => `${each.id}: ${node.target} ${node.failureSummary}`))
) : null
"""
# Everybody at once: a process of its own for each takes longer than all of them.
MAKE_PEOPLE = """
import json, sys
from accounts.making import make_user, set_up_app
from audit.record import Actor
from tenants import clock
people, secrets = json.load(sys.stdin), {}
for word, each in people.items():
    made = make_user(
        schema_name=each["schema"], email=f"{word}@voorbeeld.example", name=each["name"], roles=[each["role"].upper()],
        password=each["password"], actor=Actor.system("create_user"), at=clock.now(),
    )
    if each["with_app"]:
        secrets[word] = set_up_app(schema_name=each["schema"], user=made.user)
print(json.dumps(secrets))
"""
# An agent's answer that cannot arrive; the agents at play overlook somebody now and then.
ANSWER_OMER = """
from django_tenants.utils import schema_context
from messaging.models import Thread
from messaging.playing import agent
from messaging.replying import reply
from tenants import clock
with schema_context("utrecht"):
    thread = Thread.objects.get(contact__wa_id="31697000013")
    actor = agent(schema_name="utrecht").actor()
    reply(thread_id=thread.id, text="Dan bent u zo aan de beurt.", actor=actor, at=clock.now())
"""
# Labels and canned replies, as a municipality has them; two labels are on the thread of Jan, and Ada's is closed.
SET_UP_DESK = """
from django_tenants.utils import schema_context
from audit.record import Actor
from messaging import threads
from messaging.desk import canned, labelling
from messaging.models import Thread
from tenants import clock
actor, at = Actor.system("tests"), clock.now()
with schema_context("utrecht"):
    made = [
        labelling.make(name=name, colour=colour, actor=actor, at=at)
        for name, colour in (("Openbare ruimte", "GOOD"), ("Klacht", "BAD"), ("Vergunningen", "INFO"))
    ]
    thread = Thread.objects.get(contact__wa_id="31697000012")
    labelling.put_on(thread_id=thread.id, label_ids=[each.id for each in made[:2]], actor=actor, at=at)
    thread = Thread.objects.get(contact__wa_id="31697000015")
    threads.close(thread_id=thread.id, actor=actor, at=at, reason="ANSWERED")
    for shortcut, title, text, safe in (
        ("groet", "Begroeting", "Goedendag {naam}, u spreekt met {medewerker} van de gemeente {gemeente}.", False),
        ("paspoort", "Paspoort ophalen", "Neem mee:\\n- uw oude paspoort\\n- de *ontvangstbevestiging*", False),
        ("veilig", "Veilige weg", "Deelt u hier liever geen BSN. Log in met DigiD op onze website.", True),
    ):
        written = canned.Written(shortcut=shortcut, title=title, text=text, is_safe_route=safe)
        canned.make(written=written, actor=actor, at=at)
"""
# One invoice that is final, of which a part was credited and paid; the others wait for approval.
ISSUE_UTRECHT = """
from datetime import date
from audit.record import Actor
from billing import crediting, invoicing, issuing, parties, paying
from billing.months import month_of, previous_month
from tenants import clock
from tenants.models import Municipality
at, first, second = clock.now(), Actor("public", "1", "Farid Finance"), Actor("public", "2", "Tineke Toezicht")
month = previous_month(month=month_of(moment=at))
utrecht = Municipality.objects.get(schema_name="utrecht")
profile = parties.Profile(
    legal_name="Gemeente Utrecht", oin="00000001001299992000", street="Stadsplateau 1", postcode="3521 AZ",
    city="Utrecht", order_reference="INK-2026-17", cost_centre="4410", email="facturen@utrecht.example",
)
parties.save_profile(
    municipality_id=utrecht.id, profile=profile, valid_from=date(2026, 1, 1), actor=first, at=at
)
made = invoicing.run(month=month, at=at, actor=first, review=True, early=True)
mine = next(each for each in made if each.municipality_id == utrecht.id)
issuing.approve(invoice_id=mine.id, actor=second, at=at)
issuing.finalise(invoice_id=mine.id, actor=second, at=at)
note = crediting.credit(invoice_id=mine.id, positions=[1], reason="Storing", actor=first, at=at)
issuing.approve(invoice_id=note.id, actor=second, at=at)
issuing.finalise(invoice_id=note.id, actor=second, at=at)
paying.book_payment(
    invoice_id=mine.id, amount_cents=1000, paid_date=at.date(), reference="afschrift 112", actor=first, at=at
)
"""
CITIZENS = (
    ("+31697000011", "Fatima El Idrissi", "Goedemorgen, is mijn vergunning voor de dakkapel al klaar?"),
    ("+31697000012", "Jan de Wit", "De lantaarnpaal voor nummer 14 doet het niet."),
    ("+31697000013", "Ömer Yılmaz", "Kan ik mijn paspoort vandaag ophalen?"),
    ("+31697000014", "Marie-Louise van den Heuvel-Oosterhuis", "Hoe laat is de milieustraat open?"),
    ("+31697000015", "Ada", "Thanks! Where can I register my new address?"),
)


def find_chromium(*, in_windows: bool = False) -> str | None:
    """Return where Chromium is, or None; it comes with the operating system (.ci/run installs it).

    in_windows: one that has windows, which messages of the browser need. Else rather the one without: the other draws
    them though nobody looks, and takes half as long again.
    """
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names if in_windows else ("chromium-headless-shell", *names))), None)


@dataclass(slots=True)
class Stage:
    """A platform of its own, played for pages."""

    live: Live
    apps: dict[str, str] = field(default_factory=dict)  # of those who must have one: its secret, by word
    sessions: dict[str, tuple[list[Any], float]] = field(default_factory=dict)  # of those, by word: cookies, until when
    made: dict[str, Any] = field(default_factory=dict)  # what props.py made, by name

    def play(self) -> None:
        """Have citizens write last month and today, agents answer some, and the month's invoices drafted."""
        live = self.live
        today = datetime.now(AMSTERDAM)
        last_month = (today.replace(day=1) - timedelta(days=1)).replace(day=15, hour=10, minute=5)
        live.post("clock", {"to": last_month.isoformat()})
        live.start_towns()
        people = {
            word: {
                "schema": schema,
                "role": role,
                "name": name,
                "password": PASSWORD,
                "with_app": schema == "public" or role == "admin",
            }
            for word, (schema, role, name) in PEOPLE.items()
        }
        made = live.instance.manage("shell", "--verbosity", "0", "--command", MAKE_PEOPLE, given=json.dumps(people))
        self.apps |= json.loads(made)
        for phone, name, text in CITIZENS:
            self.write(phone=phone, name=name, text=text)
        live.rest()
        live.answer()
        live.rest()
        self.write(phone="+31697000012", name="Jan de Wit", text="Hij knippert nu, dat is nog lelijker.")
        live.rest()
        live.post("clock", {"to": datetime.now(AMSTERDAM).isoformat()})
        live.instance.manage("load_rate_card", str(ROOT / "billing" / "rate_cards" / "standard-2026.json"))
        live.instance.manage("run_invoices", "--period", f"{last_month:%Y-%m}")
        for day in ("2025-07-01", "2026-10-01"):
            live.instance.manage("load_meta_rates", str(ROOT / "billing" / "meta_rates" / f"example-{day}.json"))
        # In one process: to start one takes longer than what each does.
        set_up = ISSUE_UTRECHT + SET_UP_DESK + SET_UP_PAGES
        made = live.instance.manage("shell", "--verbosity", "0", "--command", set_up)
        self.made = json.loads(made)
        self._play_today()

    def _play_today(self) -> None:
        live, number = self.live, TOWNS["utrecht"][3]
        fatima, omer = CITIZENS[0], CITIZENS[2]
        live.post(
            "citizens",
            {"phone_number_id": number, "citizen": {"phone": omer[0], "name": omer[1]}, "behaviour": "undeliverable"},
        )
        self.write(phone=omer[0], name=omer[1], text="Ik sta bij de balie.")
        live.rest()
        live.instance.manage("shell", "--verbosity", "0", "--command", ANSWER_OMER)
        live.rest()
        self.write(
            phone=fatima[0], name=fatima[1], text="Ik heb hier een *foto* van de tekening. Mijn BSN is 999990342."
        )
        self.write(
            phone=fatima[0],
            name=fatima[1],
            message={"type": "image", "image": {"id": "1", "caption": "De tekening", "mime_type": "image/jpeg"}},
        )
        self._send_files(phone=fatima[0], name=fatima[1])
        self.write(
            phone=fatima[0],
            name=fatima[1],
            message={"type": "location", "location": {"latitude": 52.09, "longitude": 5.12, "name": "Stadhuis"}},
        )
        self.write(
            phone=fatima[0],
            name=fatima[1],
            message={"type": "unsupported", "errors": [{"code": 131051, "title": "Unsupported message type"}]},
        )
        live.rest()
        self._play_templates()

    def _play_templates(self) -> None:
        """Have Meta pause a template, announce that one becomes marketing, and have one that was made there by hand."""
        self.at_meta("paspoort_klaar")
        for name, action in (("afspraak_herinnering", "pause"), ("follow_up_on_your_question", "recategorise")):
            language = "en" if name.startswith("follow") else "nl"
            more = {"to": "MARKETING"} if action == "recategorise" else {}
            decision = {"waba_id": TOWNS["utrecht"][2], "name": name, "language": language, "action": action}
            self.live.post("templates", {**decision, **more})
        self.live.rest()
        self.live.instance.manage("sync_templates", "utrecht")

    def at_meta(self, name: str, **more: Any) -> None:
        """Have a template at Meta that was made there by hand."""
        text = "Goedendag {{naam}}, uw paspoort ligt klaar. U kunt het ophalen met uw oude paspoort."
        example = {"body_text_named_params": [{"param_name": "naam", "example": "mevrouw De Vries"}]}
        parts = [
            {"type": "HEADER", "format": "TEXT", "text": "Paspoort"},
            {"type": "BODY", "text": text, "example": example},
            {"type": "FOOTER", "text": "Gemeente Utrecht"},
            {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Ik kom"}]},
        ]
        template = {"name": name, "language": "nl", "category": "UTILITY", "components": parts, **more}
        template["parameter_format"] = "NAMED"
        waba_id, token = TOWNS["utrecht"][2], "EAAutrecht"
        number = {"id": TOWNS["utrecht"][3], "display_phone_number": "+3197010000344"}
        business = {"waba_id": waba_id, "name": "Utrecht", "access_token": token, "phone_numbers": [number]}
        self.live.post("businesses", {**business, "templates": [template]})

    def _send_files(self, *, phone: str, name: str) -> None:
        """Have a citizen send files: one of each sort, one that is not what it says, and one that does not come."""
        page = base64.b64encode(b"<!DOCTYPE html><script>alert(1)</script>").decode()
        for kind, described in (
            ("document", {"filename": "Bouwtekening dakkapel.pdf", "caption": "En de tekening van de aannemer"}),
            ("document", {"filename": "factuur.pdf", "mime_type": "application/pdf", "content_base64": page}),
            ("audio", {}),
            ("video", {}),
        ):
            self.write(phone=phone, name=name, message={"type": kind, kind: described})
        self.live.rest()
        self.live.post("faults", {"media": [{"kind": "not_found", "count": 2}]})
        self.write(phone=phone, name=name, message={"type": "image", "image": {}})
        self.live.rest()
        # As after a day of attempts.
        self.live.ask(
            "UPDATE {s}.messaging_medium SET state = 'FAILED', reason = 'SERVER_ERROR', attempts = 10"
            " WHERE state = 'PENDING' RETURNING id",
            schema="utrecht",
        )

    def write(self, *, phone: str, name: str, text: str = "", message: dict[str, Any] | None = None) -> None:
        """Have a citizen write to Utrecht."""
        message = message or {"type": "text", "text": {"body": text}}
        update = {"phone_number_id": TOWNS["utrecht"][3], "citizen": {"phone": phone, "name": name}, "message": message}
        self.live.post("inbound", {"updates": [update], "wait": True})

    def url(self, word: str, path: str = "/") -> str:
        """Return an address of the host that a person works on."""
        schema = PEOPLE[word][0] if word != NOBODY else "utrecht"
        host = "console" if schema == "public" else schema
        return f"http://{host}.localhost:{self.live.instance.web_port}{path}"

    def open(self, page: OpenPage, to: Page) -> Response:
        """Open one of `pages`, and look for what is looked for there; return what its address was answered."""
        answer = page.goto(self.url(to.word, to.path))
        assert answer is not None
        if to.words:
            page.locator("[name=words]").fill(to.words)
            page.locator("[name=words]").press("Enter")
            page.wait_for_load_state()
        return answer

    def sign_in(self, context: BrowserContext, word: str, *, language: str = "nl") -> OpenPage:
        """Sign a person in through the form, in a language; return the page that comes then.  Nobody: the sign-in page.

        Who has an app and signed in a moment ago comes by the same session: an app's next code takes half a minute.
        """
        page = context.new_page()
        cookies, until = self.sessions.get(word, ([], 0.0))
        if time.monotonic() < until:
            context.add_cookies(cookies)
        page.goto(self.url(word))
        if language == "en":
            page.get_by_role("button", name="English").click()
        if word == NOBODY or "/sign-in/" not in page.url:
            return page
        page.get_by_label("E-mail").fill(f"{word}@voorbeeld.example")
        page.get_by_label("Wachtwoord" if language == "nl" else "Password").fill(PASSWORD)
        page.get_by_role("button", name="Inloggen" if language == "nl" else "Sign in", exact=True).click()
        if word in self.apps:
            page.wait_for_url("**/sign-in/second-step/")
            self.give_code(page, word, language=language)
        page.wait_for_url(lambda url: "/sign-in/" not in url)
        if word in self.apps:
            cookies = [each for each in context.cookies(self.url(word)) if "session" in each["name"]]
            self.sessions[word] = cookies, time.monotonic() + FRESH_SECONDS
        return page

    def give_code(self, page: OpenPage, word: str, *, language: str = "nl") -> None:
        """Give the code that a person's app shows; when it was used already, the next one."""
        while "/sign-in/second-step/" in page.url:
            page.get_by_label("Code", exact=True).fill(code(secret=self.apps[word]))
            page.get_by_role("button", name="Verder" if language == "nl" else "Continue", exact=True).click()
            page.wait_for_load_state()
            if "/sign-in/second-step/" in page.url:
                time.sleep(3)

    def pages(self) -> Iterator[Page]:
        """Return every page there is to see, as tests/web/pages.py names them, with the ids of this stage's rows."""
        ids: dict[str, Any] = dict(self.made)
        with self.live.connect() as connection:
            for name, (schema, query) in ROWS.items():
                found = connection.execute(sql.SQL(query).format(s=sql.Identifier(schema))).fetchone()
                assert found, f"the stage has no {name}"
                ids[name] = found[0]
        for page in PAGES:
            yield page._replace(path=page.path.format(**ids))


@contextmanager
def stage(folder: Path) -> Iterator[Stage]:
    """Bring a platform up and play on it; the block's end stops it."""
    live = Live(folder, durable=False)
    try:
        live.start_processes()
        made = Stage(live=live)
        made.play()
        yield made
    finally:
        live.stop()


@contextmanager
def browser() -> Iterator[Browser]:
    """Return a browser in which every host of ours is this machine."""
    chromium = find_chromium()
    assert chromium, "the pages need Chromium: install it (on Debian: apt install chromium)"
    with sync_playwright() as playwright, launched(playwright.chromium, chromium) as opened:
        yield opened


@contextmanager
def launched(kind: BrowserType, chromium: str) -> Iterator[Browser]:
    """Start a Chromium; the block's end closes it."""
    arguments = ["--host-resolver-rules=MAP *.localhost 127.0.0.1"]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")  # Chromium's own sandbox refuses root
    opened = kind.launch(executable_path=chromium, args=arguments)
    try:
        yield opened
    finally:
        opened.close()


def violations(page: OpenPage, *, only: list[str] | None = None) -> list[str]:
    """Return what axe-core finds against WCAG 2.2 AA on a page, each in one line; only: by these rules of its alone."""
    chosen = {"type": "rule", "values": only} if only else {"type": "tag", "values": AXE_TAGS}
    found = page.evaluate(RUN_AXE, chosen)
    if found is None:  # not there yet: half a megabyte, which a page is given once however often it is looked at
        page.evaluate(AXE.read_text())
        found = page.evaluate(RUN_AXE, chosen)
    return [str(each) for each in found]


def violations_by_day_and_night(page: OpenPage) -> list[str]:
    """Return what axe-core finds in the light scheme, and by night of what a scheme can change: its colours."""
    return [found for scheme in SCHEMES for found in _violations_in(page, scheme)]


def violations_in_every_size(page: OpenPage) -> list[str]:
    """Return what axe-core finds by day and by night, on a wide screen and on a phone; and what finds no room there.

    The page is not loaded again: what it shows where is for its style sheet to say. It stays on the phone, by day.
    """
    found = []
    for (width, height), schemes in ((WIDE, SCHEMES), (PHONE, SCHEMES[::-1])):
        page.set_viewport_size({"width": width, "height": height})
        for scheme in schemes:
            found += [f"{width} wide, {each}" for each in _violations_in(page, scheme)]
        needed = page.evaluate("document.documentElement.scrollWidth")
        if needed > width:
            found.append(f"the page is {needed} wide on a screen of {width}")
    return found


def _violations_in(page: OpenPage, scheme: Literal["light", "dark"]) -> list[str]:
    page.emulate_media(color_scheme=scheme)
    return [f"{scheme}, {each}" for each in violations(page, only=AXE_OF_COLOURS if scheme == "dark" else None)]
