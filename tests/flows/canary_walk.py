"""Canaries sent through every path of a running platform: Meta's door, the pages, the API, the sender, errors in each.

Nothing is looked for here; tests/flows/test_canaries.py does, when the walk is over.
"""

import json
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.flows import canaries, canary_payloads
from tests.flows.live import TOWNS, Live
from tests.flows.visiting import Visitor
from tests.flows.witnesses import Answer, MetaFront, wait_until
from whatsapp.signature import sign

STAFF = "staff@voorbeeld.example"  # the BSP's own: not secret, and known in `public`
OURS = dict(zip(("waba_id", "phone_number_id"), TOWNS["utrecht"][2:], strict=True))
NOBODY = {"waba_id": "2999999999999", "phone_number_id": "1999999999999"}
# What the database refuses from now on, by a word: in a message of a citizen or of ours, and in Meta's own events.
REFUSED_ROW, REFUSED_LOUDLY, REFUSED_EVENT, REFUSED_OUTCOME = "strikvraag", "valkuil", "sneeuwstorm", "struikelsteen"
REFUSALS = f"""
    ALTER TABLE {{s}}.messaging_message
        ADD CONSTRAINT walk_refuses CHECK (text NOT LIKE '%%{REFUSED_ROW}%%') NOT VALID,
        ADD CONSTRAINT walk_refuses_outcomes CHECK (coalesce(wamid, '') = '' OR text NOT LIKE '%%{REFUSED_OUTCOME}%%')
        NOT VALID;
    CREATE FUNCTION {{s}}.walk_refuse() RETURNS trigger LANGUAGE plpgsql SET log_min_messages = panic AS
        $$ BEGIN RAISE EXCEPTION 'cannot keep: %%', NEW.text; END $$;
    CREATE TRIGGER walk_refuse BEFORE INSERT ON {{s}}.messaging_message
        FOR EACH ROW WHEN (NEW.text LIKE '%%{REFUSED_LOUDLY}%%') EXECUTE FUNCTION {{s}}.walk_refuse();
    ALTER TABLE {{s}}.inbox_event ADD CONSTRAINT walk_refuses_events
        CHECK (payload::text NOT LIKE '%%{REFUSED_EVENT}%%') NOT VALID;
"""


def quoting(phone: str) -> str:
    """Return what Meta might say in an error: whom it was for, and with what token."""
    return f"(#1) To {phone} ({canaries.NAME}): {canaries.TEXT} Malformed access token EAAutrecht"


def graph_error(code: int, phone: str) -> dict[str, Any]:
    """Return an error as the Graph API answers it, naming whom the message was for wherever it can."""
    said = quoting(phone)
    data = {"messaging_product": "whatsapp", "details": said}
    error = {"message": said, "type": "OAuthException", "code": code, "error_data": data, "fbtrace_id": "A1"}
    return {"error": {**error, "error_user_title": said, "error_user_msg": said}}


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


@dataclass
class Walk:
    """One walk. name: tells its ids from another's. keys: of the API, by host."""

    live: Live
    front: MetaFront
    name: str
    keys: dict[str, str]
    led_to: list[str] = field(default_factory=list)
    answers: dict[str, list[int]] = field(default_factory=dict)
    cookies: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.meta = self.visitor("console")

    def visitor(self, host: str) -> Visitor:
        """Return a new visitor of a host."""
        return Visitor(live=self.live, host=host, led_to=self.led_to)

    def note(self, what: str, answer: httpx.Response) -> httpx.Response:
        """Remember how something was answered, so that a path that leads nowhere is seen."""
        self.answers.setdefault(what, []).append(answer.status_code)
        return answer

    def go(self, *, every_kind: bool) -> None:
        """Walk every path once. every_kind: of webhook, too, of which there are many."""
        if every_kind:
            self.write_every_kind()
        self.write_what_is_refused()
        self.write_as_citizens()
        if every_kind:
            self.end_troubles()
            self.ask_in_vain()
        self.answer_on_pages()
        self.call_the_api()
        self.send_into_trouble()

    def end_troubles(self) -> None:
        """See that what Meta said of our numbers is over: a number in trouble sends one message at a time to try."""
        wait_until(lambda: not self._unapplied(), seconds=60, what="all that came in is applied")
        with self.live.connect() as connection:
            connection.execute("UPDATE public.tenants_trouble SET closed_at = opened_at WHERE closed_at IS NULL")

    def _unapplied(self) -> int:
        query = "SELECT count(*) FROM {s}.inbox_event WHERE state = 'OPEN'"
        return sum(self.live.ask(query, schema=schema)[0][0] for schema in self.live.towns)

    # --- Meta's door

    def post(self, payload: Any, *, what: str, signature: str | None = None) -> None:
        """Send a webhook as Meta does."""
        body = payload if isinstance(payload, bytes) else _json(payload)
        secret = self.live.instance.environ["META_APP_SECRET"]
        headers = {"X-Hub-Signature-256": signature or sign(body=body, app_secret=secret)}
        self.note(what, self.meta.call("POST", "/webhooks/whatsapp", content=body, headers=headers))

    def write_every_kind(self) -> None:
        """Send every kind of webhook there is, for a number of ours and for one of nobody's."""
        for _, payload in canary_payloads.every_kind(**OURS, salt=self.name):
            self.post(payload, what="webhook")
        for _, payload in canary_payloads.every_kind(**NOBODY, salt=f"{self.name} nobody"):
            self.post(payload, what="webhook to nobody")

    def write_what_is_refused(self) -> None:
        """Send what cannot be applied, read, trusted or stored."""
        for word in (REFUSED_ROW, REFUSED_LOUDLY):
            poison = canary_payloads.message(**OURS, text=f"{canaries.TEXT} {word}", salt=f"{self.name} {word}")
            self.post(poison, what="poison")
        for shape in (quoting(canaries.PHONE.format(1)), {"entry": [{"changes": quoting(canaries.PHONE.format(1))}]}):
            self.post(shape, what="webhook of no shape")
        self.post(f'{{"text": "{canaries.TEXT}'.encode(), what="webhook that is no JSON")
        self.post(
            {"text": quoting(canaries.PHONE.format(1))}, what="webhook of a stranger", signature="sha256=" + "0" * 64
        )
        stored = canary_payloads.message(**OURS, text=f"{canaries.TEXT} {REFUSED_EVENT}", salt=f"{self.name} event")
        self.post(stored, what="webhook that the database refuses")
        for word in (canaries.VERIFY_TOKEN, f"{canaries.VERIFY_TOKEN}é"):
            query = {"hub.mode": "subscribe", "hub.verify_token": word, "hub.challenge": "1"}
            self.note("verification", self.meta.get("/webhooks/whatsapp", params=query))

    # --- Citizens and agents

    def write_as_citizens(self) -> None:
        """Have citizens write by way of the sandbox, so that Meta knows them and their windows are open."""
        by_number = [{"phone": canaries.PHONE.format(10 + each), "name": canaries.NAME} for each in range(10)]
        known_by_id = {"bsuid": canaries.BSUID, "name": canaries.NAME, "username": canaries.USERNAME}
        document = {"filename": canaries.FILE_NAME, "caption": canaries.CAPTION}
        updates = [
            {
                "phone_number_id": TOWNS[schema][3],
                "citizen": citizen,
                "message": message,
            }
            for schema in TOWNS
            for citizen in (*by_number, known_by_id)
            for message in (
                {"type": "text", "text": {"body": f"{canaries.TEXT} {self.name}"}},
                {"type": "document", "document": document},
            )
        ]
        self.live.post("inbound", {"updates": updates, "wait": True})
        wait_until(lambda: not self._open_events(), seconds=30, what="what citizens wrote is applied")

    def _open_events(self) -> int:
        query = "SELECT count(*) FROM {s}.inbox_event WHERE state = 'OPEN'"
        return sum(int(self.live.ask(query, schema=schema)[0][0]) for schema in TOWNS)

    def suspend(self, operator: Visitor) -> None:
        """Suspend Utrecht and resume it, of which its admin is mailed."""
        query = "SELECT id FROM public.tenants_onboarding WHERE name = 'Utrecht'"
        ((onboarding,),) = self.live.ask(query, schema="utrecht")
        waiting = "SELECT id FROM {s}.accounts_mail WHERE what = 'SUSPENSION' AND state <> 'SENT'"
        for seen, to in (("LIVE", "SUSPENDED"), ("SUSPENDED", "LIVE")):
            form = {"seen": seen, "reason": "Iets nagaan"}
            self.note("suspend", operator.submit(f"/onboarding/{onboarding}/decide/{to}/", form))
            wait_until(lambda: not self.live.ask(waiting, schema="utrecht"), seconds=60, what="the mail is sent")

    def answer_on_pages(self) -> None:
        """Sign in, wrongly and rightly, and do on the pages all that there is to do."""
        somebody = self.visitor("utrecht")
        self.note("wrong password", somebody.sign_in(canaries.EMAIL, canaries.WRONG_PASSWORD))
        self.note("unknown address", somebody.sign_in(canaries.WRONG_EMAIL, canaries.WRONG_PASSWORD))
        form = {"login": canaries.EMAIL, "password": canaries.PASSWORD}
        self.note("no token", somebody.call("POST", "/sign-in/", data=form))
        sought = f"/zoek/{canaries.PHONE.format(1)}/?q={canaries.TEXT}"
        self.note("typed address", somebody.get(sought))
        self.note("not signed in", somebody.get("/inbox/"))
        agent = self.visitor("utrecht")
        self.note("sign-in", agent.sign_in(canaries.EMAIL, canaries.PASSWORD, totp_secret=canaries.TOTP_SECRET))
        for path in ("/inbox/", "/inbox/?list=all", "/numbers/", "/templates/", "/users/"):
            self.note("page", agent.get(path))
        thread = f"/threads/{self.thread_of(canaries.PHONE.format(10))}/"
        version = self.note("page", agent.get(thread)).headers.get("etag", "")
        self.note("fragment", agent.get(thread, headers={"HX-Request": "true"}))
        reply = {"text": canaries.REPLY}
        self.note("reply", agent.submit(thread + "reply/", reply, on=thread))
        with agent.client.stream("GET", f"/live{thread}", params={"version": version}) as stream:
            self.answers.setdefault("live", []).append(stream.status_code)
            next(stream.iter_raw())
        for word in (REFUSED_ROW, REFUSED_LOUDLY):
            broken = {"text": f"{canaries.REPLY} {word}"}
            self.note("page that breaks", agent.submit(thread + "reply/", broken, on=thread))
        template = thread + f"template/{self.template('utrecht')}/"
        values = {"value-naam": canaries.NAME, "value-onderwerp": canaries.PARAMETER}
        self.note("page", agent.submit(template, {**values, "step": "preview"}))
        self.note("reply", agent.submit(template, {**values, "step": "send"}))
        for act, form in (("take", {}), ("note", {"note": canaries.REPLY}), ("snooze", {"until": "1h"})):
            self.note("reply", agent.submit(f"{thread}{act}/", form, on=thread))
        close = f"/threads/{self.thread_of(canaries.PHONE.format(19))}/close/"
        self.note("reply", agent.submit(close, {"reason": "ANSWERED"}))
        support = self.visitor("console")
        self.note("sign-in", support.sign_in(STAFF, canaries.PASSWORD, totp_secret=canaries.TOTP_SECRET))
        for path in ("/municipalities/", "/municipalities/utrecht/", "/invoices/"):
            self.note("page", support.get(path))
        self.suspend(support)
        for visitor in (agent, support):
            self.cookies.update(value for value in visitor.client.cookies.values() if len(value) > 16)

    def thread_of(self, phone: str, schema: str = "utrecht") -> str:
        """Return the last thread of a citizen."""
        query = (
            "SELECT t.id FROM {s}.messaging_thread t JOIN {s}.messaging_contact c ON c.id = t.contact_id"
            " WHERE c.wa_id = %s ORDER BY t.opened_at DESC LIMIT 1"
        )
        return str(self.live.ask(query, phone.removeprefix("+"), schema=schema)[0][0])

    def template(self, schema: str) -> str:
        """Return the template that agents send."""
        query = "SELECT id FROM {s}.messaging_template WHERE name = 'vervolg_op_uw_vraag'"
        return str(self.live.ask(query, schema=schema)[0][0])

    # --- Machines

    def api(self, method: str, path: str, *, host: str = "utrecht", what: str = "api", **given: Any) -> httpx.Response:
        """Call the API of a host with its key."""
        headers = {"Authorization": f"Bearer {self.keys[host]}", **given.pop("headers", {})}
        return self.note(what, self.visitor(host).call(method, f"/api/v1{path}", headers=headers, **given))

    def call_the_api(self) -> None:
        """Send and read by the API, rightly and wrongly."""
        whom = {"recipient": {"phoneNumber": canaries.PHONE.format(11)}}
        text, values = {**whom, "text": canaries.REPLY}, {"naam": canaries.NAME, "onderwerp": canaries.PARAMETER}
        template = {"name": "vervolg_op_uw_vraag", "language": "nl", "values": values}
        name = {"Idempotency-Key": canaries.IDEMPOTENCY_KEY.format(self.name)}
        for body in (text, text, {**text, "text": f"{canaries.REPLY} Toch?"}):
            self.api("POST", "/messages", json=body, headers=name)
        self.api("POST", "/messages", json={**whom, "template": template})
        self.api("POST", "/messages", json={"recipient": {"bsuid": canaries.BSUID}, "text": canaries.REPLY})
        for word in (REFUSED_ROW, REFUSED_LOUDLY):
            self.api("POST", "/messages", json={**whom, "text": f"{canaries.REPLY} {word}"}, what="api that breaks")
        wrong = {
            "recipient": {"phoneNumber": f"{canaries.PHONE.format(1)} x"},
            "threadId": canaries.TEXT,
            canaries.NAME: 1,
        }
        for refused in (wrong, {**whom, "template": {**template, "values": {canaries.PARAMETER: canaries.NAME}}}):
            self.api("POST", "/messages", json=refused, what="api that refuses")
        self.api("POST", "/messages", content=f'{{"text": "{canaries.TEXT}'.encode(), what="api that refuses")
        self.api("POST", "/threads/_search", json={"phoneNumber": canaries.PHONE.format(11)})
        self.api("POST", "/threads/_search", json={"bsuid": canaries.BSUID})
        page = self.api("GET", "/threads?limit=1").json()
        cursor = [value for key, value in page.items() if "ursor" in key and value]
        self.led_to += [str(value) for value in cursor]
        thread = self.thread_of(canaries.PHONE.format(11))
        for path in (f"/threads/{thread}", f"/threads/{thread}/messages", "/templates", "/usage", "/openapi.json"):
            self.api("GET", path)
        for path in ("/municipalities", "/usage", "/invoices"):
            self.api("GET", path, host="console")
        self.api("GET", f"/threads?cursor={canaries.PHONE.format(1)}", what="api that refuses")
        self.api(
            "GET", "/threads", what="key of elsewhere", headers={"Authorization": f"Bearer {self.keys['console']}"}
        )

    def send_into_trouble(self) -> None:
        """Have Meta refuse, cut, redirect and talk nonsense, naming whom it was for each time."""
        phones = [canaries.PHONE.format(each) for each in range(12, 18)]
        said = quoting(phones[0]).encode()
        nonsense = _json({"error": said.decode(), "messages": [said.decode()]})
        troubles = [
            Answer(400, _json(graph_error(131026, phones[0]))),
            Answer(500, b"<html>" + said, {"Content-Type": "text/html"}, accepts=True),
            Answer(None, accepts=True),
            Answer(302, said, {"Location": f"/v24.0/{phones[3].removeprefix('+')}?token=EAAutrecht"}),
            Answer(200, nonsense),
        ]
        for phone, trouble in zip(phones, troubles, strict=False):
            self._send(phone, trouble)
        reached = self.thread_of(phones[-1])
        self.api("POST", "/messages", json={"threadId": reached, "text": canaries.REPLY})
        query = (
            "SELECT wamid FROM {s}.messaging_message WHERE thread_id = %s AND direction = 'OUTBOUND' AND wamid <> ''"
        )
        left = lambda: self.live.ask(query, reached, schema="utrecht")  # noqa: E731
        wait_until(lambda: bool(left()) and not self.front.answers, seconds=30, what="all has left")
        error = {"code": 131026, "title": quoting(phones[-1]), "error_data": {"details": quoting(phones[-1])}}
        failed = {"wamid": left()[-1][0], "status": "failed", "errors": [error]}
        self.live.post("statuses", {"statuses": [failed], "wait": True})

    def ask_in_vain(self) -> None:
        """Have Meta never answer a send, until it is given up, half a minute later."""
        self._send(canaries.PHONE.format(18), Answer(None, seconds=60.0))

    def break_the_sender(self) -> None:
        """Have an outcome refused by the database, then a number stopped by Meta: the lane of Delft ends by each."""
        stop = _json(graph_error(190, canaries.PHONE.format(1)))
        for place, (word, answer) in enumerate(((REFUSED_OUTCOME, None), ("", Answer(401, stop)))):
            self._send(canaries.PHONE.format(10 + place), answer, host="delft", text=f"{canaries.REPLY} {word}")

    def _send(self, phone: str, answer: Answer | None, *, host: str = "utrecht", text: str = canaries.REPLY) -> None:
        """Send a text by the API, to which Meta answers so."""
        if answer is not None:
            self.front.answers[phone.removeprefix("+")] = answer
        self.api("POST", "/messages", host=host, json={"recipient": {"phoneNumber": phone}, "text": text})
