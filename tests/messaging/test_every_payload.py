"""Every payload case, through Meta's own door: signed, stored, applied by the worker's code, and what became of it.

Also ten thousand mutated ones under `make fuzz`, a few hundred in every run: whatever comes, the door answers 200, 400,
403 or 413, and the next good message is stored and applied.
"""

import asyncio
import copy
import json
import os
import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.db import connection, transaction
from django_tenants.utils import schema_context

from messaging import inbox
from messaging.models import (
    UNASSIGNED,
    Alteration,
    Consent,
    Contact,
    IdChange,
    InboxEvent,
    LooseStatus,
    Message,
    Template,
    TemplateSync,
    Thread,
    WindowOpening,
)
from messaging.statuses import RANK, STATE_OF
from tenants.models import NumberHealth, Trouble
from tests.api.meta_posts import NUMBERS, WABAS, one, open_door

CASES = Path(__file__).parent.parent / "payloads" / "whatsapp"
# The ids in the files, and whose they are here.
NUMBER, WABA, SHOWN = "106540352242922", "215589313241560883", "31530000001"
HERE = {NUMBER: NUMBERS["utrecht"], WABA: WABAS["utrecht"], SHOWN: "3197010034400"}
OURS = "0d5bb1c2-6f0e-4d0a-9a55-2f6c0f1f8f11"
AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MUTATED = int(os.environ.get("FUZZ_EXAMPLES", "0")) or 200
ALLOWED = {200, 400, 403, 413}


def body_of(case: str) -> bytes:
    """Return a case as bytes, for the municipality Utrecht."""
    text = (CASES / f"{case}.json").read_text()
    for there, here in HERE.items():
        text = text.replace(there, here)
    return text.encode()


def all_cases() -> list[str]:
    return sorted(path.stem for path in CASES.glob("*.json"))


class ServedDoor:
    """Meta's door in a loop of its own that runs while something is posted, so that Django stays in one thread."""

    def __init__(self, url: str) -> None:
        """Serve."""
        self._loop = asyncio.new_event_loop()
        self._opening = open_door(database_url=url)
        self._door = self._loop.run_until_complete(self._opening.__aenter__())

    def post(self, *bodies: object, signatures: list[str] | None = None) -> list[int]:
        """Send POSTs at once; return what was answered."""

        async def send() -> list[int]:
            said = signatures or ["right"] * len(bodies)
            sent = (self._door.post(body, signature=word) for body, word in zip(bodies, said, strict=True))
            return await asyncio.gather(*sent)

        return self._loop.run_until_complete(send())

    def close(self) -> None:
        """Stop serving."""
        self._loop.run_until_complete(self._opening.__aexit__(None, None, None))
        self._loop.close()


@pytest.fixture
def door(committing_db):
    served = ServedDoor(committing_db.url)
    yield served
    served.close()


def drained() -> None:
    """Do what a worker does, until nothing is left to do."""
    for schema in ("utrecht", "delft"):
        while inbox.drain(schema_name=schema):
            pass


def became() -> dict[str, Any]:
    """Return what there is at Utrecht, in short."""
    with schema_context("utrecht"):
        return {
            "kinds": [row.kind for row in Message.objects.order_by("stamped_at", "wamid")],
            "texts": [row.text for row in Message.objects.order_by("stamped_at", "wamid")],
            "contacts": Contact.objects.count(),
            "threads": Thread.objects.count(),
            "alterations": list(Alteration.objects.values_list("kind", flat=True)),
            "changes": IdChange.objects.count(),
            "loose": sorted(LooseStatus.objects.values_list("status", flat=True)),
            "consents": list(Consent.objects.values_list("word", flat=True)),
            "windows": WindowOpening.objects.count(),
            "health": list(NumberHealth.objects.values()),
            "troubles": list(Trouble.objects.filter(closed_at=None).values_list("kind", flat=True)),
            "ours": Message.objects.filter(id=OURS).values_list("state", flat=True).first(),
            "templates": list(Template.objects.values()),
            "looks": list(TemplateSync.objects.exclude(requested_at=None).values_list("waba_id", flat=True)),
            "reasons": list(Message.objects.exclude(failed_code=None).values_list("failed_code", flat=True)),
            "states": Counter(InboxEvent.objects.values_list("state", flat=True)),
        }


def have_sent() -> None:
    """Have the message of ours that the cases' statuses are about: sent, and no answer of Meta's came."""
    with schema_context("utrecht"):
        contact = Contact.objects.create(wa_id="316970001001", created_at=AT)
        times = {"opened_at": AT, "last_message_at": AT}
        thread = Thread.objects.create(contact=contact, phone_number_id=NUMBERS["utrecht"], **times)
        ours = {"id": OURS, "direction": "OUTBOUND", "kind": "text", "state": "UNCERTAIN"}
        Message.objects.create(thread=thread, stamped_at=AT, created_at=AT, **ours)


def line(kind: str, text: str | None = None) -> Callable[[dict[str, Any]], bool]:
    """Expect one message of a kind in a thread of its contact."""
    return lambda found: (
        (found["kinds"], found["contacts"], found["threads"]) == ([kind], 1, 1)
        and (text is None or found["texts"] == [text])
    )


def altered(kind: str) -> Callable[[dict[str, Any]], bool]:
    """Expect a later word about a message that is not here: kept, and no line of its own."""
    return lambda found: found["alterations"] == [kind] and found["kinds"] == [] and found["threads"] == 0


def status(word: str) -> Callable[[dict[str, Any]], bool]:
    """Expect a status of a message that another program sent: kept for it."""
    return lambda found: found["loose"] == [word] and found["kinds"] == ["text"]


def reached(case: str) -> Callable[[dict[str, Any]], bool]:
    """Expect the message of ours to have come as far as the furthest of a case's statuses."""
    changes = [change["value"] for entry in orjson.loads(body_of(case))["entry"] for change in entry["changes"]]
    words = [each["status"] for value in changes for each in value.get("statuses", ())]
    furthest = max((STATE_OF.get(word, Message.State.ACCEPTED) for word in words), key=lambda state: RANK[state])
    is_failed = furthest == Message.State.FAILED
    return lambda found: found["ours"] == furthest and bool(found["reasons"]) == is_failed and not found["loose"]


def health(**wanted: Any) -> Callable[[dict[str, Any]], bool]:
    """Expect a word about the number, beside it."""
    return lambda found: len(found["health"]) == 1 and wanted.items() <= found["health"][0].items()


def kept(found: dict[str, Any]) -> bool:
    """Expect nothing but the event itself."""
    return not found["kinds"] and not found["health"] and not found["alterations"] and not found["contacts"]


def template(**wanted: Any) -> Callable[[dict[str, Any]], bool]:
    """Expect a word about a template that nobody knew: taken in, not to be sent, and looked at."""
    wanted |= {"purpose": UNASSIGNED, "problem": "NOT_LISTED"}
    return lambda found: (
        len(found["templates"]) == len(found["looks"]) == 1
        and wanted.items() <= found["templates"][0].items()
        and not found["kinds"]
    )


def trouble(kind: str) -> Callable[[dict[str, Any]], bool]:
    return lambda found: found["troubles"] == [kind]


BECOMES: dict[str, Callable[[dict[str, Any]], bool]] = {
    **{name: line(name) for name in ("image", "video", "document", "sticker", "order", "contacts", "location")},
    "account_offboarded": trouble("DISCONNECTED"),
    "account_partner_removed": trouble("DISCONNECTED"),
    "account_reconnected": health(connection="ACCOUNT_RECONNECTED"),
    "account_volume_tier": kept,
    "account_alerts": lambda found: len(found["health"]) == 1 and bool(found["health"][0]["alert"]),
    "account_partner_added": kept,
    "account_partner_certified": kept,
    "account_review_update": lambda found: bool(found["health"][0]["account_review"]),
    "account_violation": trouble("RESTRICTED"),
    "audio": line("audio"),
    "audio_voice": line("audio"),
    "automatic_events": kept,
    "batch_of_messages_and_statuses": reached("batch_of_messages_and_statuses"),
    "batch_of_several_municipalities": lambda found: len(found["kinds"]) >= 1,
    "batch_of_two_citizens": lambda found: found["contacts"] == found["threads"] == 2,
    "batch_with_a_duplicate": lambda found: len(found["kinds"]) >= 1 and found["contacts"] == 1,
    "batch_with_malformed_parts": lambda found: found["states"]["APPLIED"] >= 1 and found["states"]["DEAD"] >= 1,
    "button": line("button", "Bevestigen"),
    "button_without_context": line("button", "Bevestigen"),
    "calls_terminate": kept,
    "contacts_on_request": line("contacts", "Sanne de Vries (+31 6 97000100 1)"),
    "edit": altered("EDIT"),
    "errors_of_a_locked_account": trouble("LOCKED"),
    "errors_of_the_account": kept,
    "field_of_the_future": kept,
    "forwarded": line("text"),
    "frequently_forwarded": line("text"),
    "group_participants_update": kept,
    "group_text": kept,
    "interactive_button": line("interactive", "Ja, graag"),
    "interactive_flow": line("interactive", "straat: Langestraat"),
    "interactive_list": line("interactive", "Maandag 10.00\nLoket 3"),
    "interactive_without_object": line("interactive", ""),
    "location_current": line("location"),
    "media_too_large": lambda found: len(found["kinds"]) == 1,
    "partner_solutions": kept,
    "phone_number_name_update": health(verified_name="Gemeente", name_decision="APPROVED"),
    "phone_number_quality_flagged": trouble("QUALITY"),
    "phone_number_quality_update": health(throughput="HIGH", messaging_limit="TIER_UNLIMITED"),
    "reaction": altered("REACTION"),
    "reaction_removed": altered("REACTION"),
    "reaction_without_emoji": altered("REACTION"),
    "referral": line("text"),
    "reply": line("text", "Klopt"),
    "revoke": altered("REVOKE"),
    "smb_message_echo_edit": altered("EDIT"),
    "smb_message_echo_revoke": altered("REVOKE"),
    "smb_message_echoes": line("text", "Vanuit de app"),
    "system_number_changed": lambda found: found["changes"] == 1 and not found["contacts"],
    "system_of_the_future": lambda found: found["changes"] == 1 and not found["contacts"],
    "system_user_id_changed": lambda found: found["changes"] == 1 and not found["contacts"],
    "text_of_a_stranger_beside_one_contact": line("text", "Hoi"),
    "template_category": template(category="MARKETING", coming_category=""),
    "template_category_impending": template(category="UTILITY", coming_category="MARKETING"),
    "template_components": template(body="Uw afspraak is bevestigd."),
    "template_quality": template(quality="YELLOW"),
    "template_status": template(status="APPROVED", category="UTILITY"),
    "template_status_paused": template(status="PAUSED", reason="FIRST_PAUSE"),
    "template_status_rejected": template(status="REJECTED", reason="INVALID_FORMAT"),
    "unknown_type": line("hologram", ""),
    "unsupported": line("unsupported", ""),
    "user_preferences": lambda found: found["consents"] == ["OPT_OUT"] and found["contacts"] == 1,
    "user_preferences_resume": lambda found: found["consents"] == ["OPT_IN"] and found["contacts"] == 1,
    "calls": lambda found: (found["kinds"], found["threads"]) == (["call"], 1),
    "history": lambda found: len(found["kinds"]) == 2 and found["threads"] == 1,
    "history_declined": lambda found: not found["kinds"] and not found["contacts"] and found["states"]["APPLIED"] == 1,
    "messaging_handovers": trouble("STANDBY"),
    "standby": lambda found: found["kinds"] == ["text"] and found["troubles"] == ["STANDBY"],
    "user_id_update": lambda found: found["changes"] == 1,
    "smb_app_state_sync": kept,
    "business_capability_update": health(messaging_limit="TIER_2K", most_numbers=20),
    "business_username_update": health(username="gemeente.utrecht", username_status="APPROVED"),
    "security": trouble("PIN"),
    "account_disabled": trouble("LOCKED"),
    "account_restriction": trouble("RESTRICTED"),
    "flows": kept,
    "payment_configuration_update": kept,
    "status_deleted": lambda found: found["alterations"] == ["REVOKE"] and found["loose"] == ["deleted"],
    "status_warning": status("warning"),
}


def expected(case: str) -> Callable[[dict[str, Any]], bool]:
    """Return what a case must become; texts and statuses are alike but for their ids."""
    if case in BECOMES:
        return BECOMES[case]
    if case.startswith("text"):
        return line("text")
    assert case.startswith("status_"), f"say in BECOMES what {case} becomes"
    return reached(case)


def forget() -> None:
    """Make as if nothing had come; past the triggers that keep some rows for good."""
    with schema_context("utrecht"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "TRUNCATE messaging_contact, messaging_sighting, messaging_idchange, messaging_loosestatus,"
            " messaging_alteration, inbox_event, tenants_numberhealth, tenants_trouble, messaging_template,"
            " messaging_templatesync CASCADE"
        )


def test_every_case_becomes_what_it_means(door):
    wrong = []
    for case in all_cases():
        forget()
        if case.startswith(("status_", "batch_of_messages")):
            have_sent()
        for _ in range(2):  # Meta sends it twice
            assert door.post(body_of(case)) == [200], case
            drained()
        found = became()
        if found["states"]["OPEN"] or not expected(case)(found):
            wrong.append((case, found))
    assert not wrong, "\n".join(f"{case}: {found}" for case, found in wrong)


def places(value: Any, path: tuple[Any, ...] = ()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


GARBAGE = [
    None, True, False, 0, -1, 2**70, 1.5, "", "x", "\ud83d", "a\0b", "9" * 400, "NL.1", "31697000100", [], [[]], {},
    {"id": 1}, ["text"], {"type": "text"}, {"body": None}, "system", "edit", "2026-13-45", {"entry": []}, 10**12,
]  # fmt: skip


def mutated(generator: random.Random) -> bytes:
    """Return a case with something wrong in it: in its values, its shape or its bytes."""
    body = orjson.loads(body_of(generator.choice(all_cases())))
    for _ in range(generator.randint(1, 3)):
        path = generator.choice(list(places(body)))
        value = copy.deepcopy(generator.choice(GARBAGE))  # one that was put somewhere may be changed itself
        if not path:
            body = value if generator.random() < 0.2 else body
            continue
        target = body
        for step in path[:-1]:
            target = target[step]
        if generator.random() < 0.3 and isinstance(target, dict):
            del target[path[-1]]
        else:
            target[path[-1]] = value
    raw = json.dumps(body).encode()
    if generator.random() < 0.1:
        at = generator.randrange(len(raw) + 1)
        raw = raw[:at] + bytes([generator.randrange(256)]) + raw[at + generator.randint(0, 3) :]
    return raw


def test_whatever_comes_the_next_good_one_is_stored_and_applied(door):
    generator = random.Random(os.environ.get("FUZZ_SEED", "2026"))
    answered: Counter[int] = Counter()
    for turn in range(max(1, MUTATED // 50)):
        posts = [mutated(generator) for _ in range(50)]
        signed = ["right" if generator.random() < 0.95 else "sha256=" + "0" * 64 for _ in posts]
        answers = door.post(*posts, signatures=signed)
        answered.update(answers)
        assert set(answers) <= ALLOWED, answered
        assert door.post(one("utrecht", f"wamid.good{turn}", f"Goed {turn}")) == [200]
        drained()
        states, texts = good_ones(turn)
        assert states["OPEN"] == 0
        assert texts == [f"Goed {turn}"]
    assert {200, 403} <= answered.keys()


def good_ones(turn: int) -> tuple[Counter[str], list[str]]:
    with schema_context("utrecht"):
        texts = list(Message.objects.filter(wamid=f"wamid.good{turn}").values_list("text", flat=True))
        return Counter(InboxEvent.objects.values_list("state", flat=True)), texts
