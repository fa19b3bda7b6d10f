"""Every kind of message by REST through the live lane: taken by the sandbox, found in its books, delivered and read."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.kinds import EXAMPLES
from tests.flows.live import TOWNS, Live, eventually

PHONE = "+31697100050"
STRANGER = "+31697100051"
_, _, WABA, NUMBER = TOWNS["utrecht"]
TEMPLATE = {
    "name": "alles_in_een",
    "language": "nl",
    "category": "UTILITY",
    "parameter_format": "NAMED",
    "components": [
        {"type": "HEADER", "format": "LOCATION"},
        {
            "type": "BODY",
            "text": "Dag {{naam}}, uw afspraak is op {{datum}} bij ons.",
            "example": {
                "body_text_named_params": [
                    {"param_name": "naam", "example": "Piet"},
                    {"param_name": "datum", "example": "maandag"},
                ]
            },
        },
        {"type": "FOOTER", "text": "Gemeente Utrecht"},
        {
            "type": "BUTTONS",
            "buttons": [
                {"type": "QUICK_REPLY", "text": "Ik kom"},
                {"type": "URL", "text": "Wijzigen", "url": "https://www.utrecht.nl/a/{{1}}", "example": ["1"]},
            ],
        },
    ],
}
FILLED = {
    "name": "alles_in_een",
    "language": "nl",
    "values": {"naam": "Piet", "datum": "maandag"},
    "headerLocation": {"latitude": 52.09, "longitude": 5.12, "name": "Stadskantoor", "address": "Stadsplateau 1"},
    "buttons": [{"index": 0, "value": "KOMT"}, {"index": 1, "value": "1234"}],
}

STORE = """
import io
from django_tenants.utils import schema_context
from audit.record import Actor
from messaging.media.uploading import store_upload
from tenants import clock
with schema_context("utrecht"):
    content = io.BytesIO(b"Openingstijden: 9.00 tot 16.00 uur")
    medium = store_upload(
        content=content, filename="tijden.txt", declared_type="text/plain", actor=Actor.system("t"), at=clock.now()
    )
    print(medium.id)
"""


class Api:
    """A system of Utrecht's that calls its API."""

    def __init__(self, live: Live) -> None:
        """Make a key of its own."""
        scopes = ("messages:send", "messages:read")
        made = live.instance.manage("create_api_key", "utrecht", "--name", "Soorten", "--scopes", *scopes)
        self.live, self.key = live, made.strip()

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Call; return status and answer."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.live.instance.web_port}/api/v1{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Host": "utrecht.localhost",
                "Authorization": f"Bearer {self.key}",
                "Content-Type": "application/json",
            },
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)


@pytest.fixture(scope="module")
def api(live: Live) -> Api:
    return Api(live)


@pytest.fixture(scope="module")
def asked(live: Live, api: Api) -> Iterator[dict[str, Any]]:
    """Return what a citizen wrote, who reads whatever comes."""
    live.post("citizens", {"phone_number_id": NUMBER, "citizen": {"phone": PHONE}, "behaviour": "reads"})
    before = {name: live.get("switches")[name] for name in ("keep_bodies", "pair_limit")}
    live.post("switches", {"keep_bodies": True, "pair_limit": False})
    (wamid,) = live.write("utrecht", "Wat kunt u allemaal sturen?", phone=PHONE)
    query = "SELECT id::text, thread_id::text FROM {s}.messaging_message WHERE wamid = %s"
    eventually(lambda: bool(live.ask(query, wamid, schema="utrecht")))
    message_id, thread_id = live.ask(query, wamid, schema="utrecht")[0]
    yield {"id": message_id, "thread": thread_id, "wamid": wamid}
    live.post("switches", before)


def until_state(api: Api, message_id: str, state: str) -> None:
    """Wait until a message is in a state: its statuses come when all else is at rest already."""
    eventually(lambda: api.call("GET", f"/messages/{message_id}")[1]["state"] == state)


def books(live: Live, message_id: str) -> dict[str, Any]:
    """Return the sandbox's row of one of our sends."""
    (row,) = live.get(f"books?list=sends&opaque={message_id}")["sends"]["rows"]
    return row


def test_every_free_form_kind_is_taken_delivered_and_read(live: Live, api: Api, asked: dict[str, Any]):
    sent = {}
    for name, (content, written) in EXAMPLES.items():
        body = {"threadId": asked["thread"], "content": content, "replyToMessageId": asked["id"]}
        status, answer = api.call("POST", "/messages", body)
        assert status == 201, (name, answer)
        sent[name] = (answer["id"], written)
    live.rest()
    for name, (message_id, written) in sent.items():
        row = books(live, message_id)
        assert (row["outcome"], row["type"]) == ("ACCEPTED", written["type"]), name
        assert row["body"][written["type"]] == written[written["type"]], name
        assert row["body"]["context"] == {"message_id": asked["wamid"]}, name
        until_state(api, message_id, "READ")


def test_a_stored_medium_is_uploaded_taken_and_read(live: Live, api: Api, asked: dict[str, Any]):
    medium_id = live.instance.manage("shell", "--verbosity", "0", "--command", STORE).strip()
    content = {"kind": "document", "mediumId": medium_id, "caption": "Onze tijden"}
    status, answer = api.call("POST", "/messages", {"threadId": asked["thread"], "content": content})
    assert status == 201, answer
    until_state(api, answer["id"], "READ")
    row = books(live, answer["id"])
    assert row["outcome"] == "ACCEPTED"
    assert {**row["body"]["document"], "id": ""} == {"id": "", "caption": "Onze tijden", "filename": "tijden.txt"}
    assert api.call("GET", f"/messages/{answer['id']}")[1]["medium"]["id"] == medium_id


def test_a_reaction_and_its_removal_are_taken(live: Live, api: Api, asked: dict[str, Any]):
    ids = []
    for emoji in ("👍", ""):
        content = {"kind": "reaction", "messageId": asked["id"], "emoji": emoji}
        status, answer = api.call("POST", "/messages", {"threadId": asked["thread"], "content": content})
        assert status == 201, answer
        ids.append(answer["id"])
    live.rest()
    rows = [books(live, message_id) for message_id in ids]
    assert [row["body"]["reaction"] for row in rows] == [
        {"message_id": asked["wamid"], "emoji": "👍"},
        {"message_id": asked["wamid"], "emoji": ""},
    ]
    for message_id in ids:
        until_state(api, message_id, "SENT")  # of reactions WhatsApp reports nothing more


def test_a_template_with_header_body_and_buttons_is_taken_delivered_and_read(live: Live, api: Api, asked):
    request = urllib.request.Request(
        f"{live.instance.urls.sandbox}/v24.0/{WABA}/message_templates",
        data=json.dumps(TEMPLATE).encode(),
        headers={"Authorization": "Bearer EAAutrecht", "Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=30).close()
    query = "SELECT status FROM {s}.messaging_template WHERE name = 'alles_in_een'"

    def approved() -> bool:
        live.instance.manage("sync_templates", "utrecht")
        return live.ask(query, schema="utrecht") == [("APPROVED",)]

    eventually(approved)
    with live.connect() as connection:
        connection.execute("UPDATE utrecht.messaging_template SET purpose = 'SERVICES' WHERE name = 'alles_in_een'")
    status, answer = api.call("POST", "/messages", {"threadId": asked["thread"], "template": FILLED})
    assert status == 201, answer
    assert answer["text"].splitlines()[0] == "Stadskantoor"
    live.rest()
    row = books(live, answer["id"])
    assert (row["outcome"], row["template"]) == ("ACCEPTED", "alles_in_een")
    kinds = [component["type"] for component in row["body"]["template"]["components"]]
    assert kinds == ["header", "body", "button", "button"]
    until_state(api, answer["id"], "READ")


def test_reading_and_typing_reach_the_citizen(live: Live, api: Api, asked: dict[str, Any]):
    assert api.call("POST", f"/threads/{asked['thread']}/_typing")[0] == 204

    def shown() -> bool:
        rows = live.get(f"books?list=inbound&wamid={asked['wamid']}")["inbound"]["rows"]
        return any(row["typing_shown"] for row in rows)

    eventually(shown)


def test_stop_is_confirmed_and_ends_templates_but_not_answers(live: Live, api: Api):
    phone = "+31697100052"
    live.write("utrecht", "STOP", phone=phone)
    query = (
        "SELECT message.state FROM {s}.messaging_consent AS consent"
        " JOIN {s}.messaging_message AS message ON message.id = consent.confirmation_id"
        " JOIN {s}.messaging_contact AS contact ON contact.id = consent.contact_id WHERE contact.wa_id = %s"
    )
    eventually(lambda: bool(live.ask(query, phone[1:], schema="utrecht")))
    eventually(lambda: live.ask(query, phone[1:], schema="utrecht")[0][0] in {"DELIVERED", "READ"})
    recipient = {"recipient": {"phoneNumber": phone}}
    assert api.call("POST", "/messages", {**recipient, "template": FILLED})[1]["code"] == "opted_out"
    assert api.call("POST", "/messages", {**recipient, "text": "Wij helpen u graag."})[0] == 201


def test_a_stranger_gets_a_template_once_their_opt_in_is_known(live: Live, api: Api):
    body = {
        "recipient": {"phoneNumber": STRANGER},
        "template": {
            "name": "vervolg_op_uw_vraag",
            "language": "nl",
            "values": {"naam": "Sanne", "onderwerp": "uw vraag"},
        },
    }
    assert api.call("POST", "/messages", body)[1]["code"] == "opt_in_needed"
    agreed = {"how": "Aan de balie gevraagd", "evidence": "Z-1", "saidAt": "2020-01-01T10:00:00+01:00"}
    status, answer = api.call("POST", "/messages", {**body, "optIn": agreed})
    assert status == 201, answer
    live.rest()
    assert books(live, answer["id"])["outcome"] == "ACCEPTED"
