"""Citizens' messages: from a short description on the control door to the webhook that Meta would send."""

import base64
import binascii
import hashlib
import json
import re
import time
from dataclasses import dataclass
from typing import Any

from sandbox.books import Inbound
from sandbox.envelope import Update
from sandbox.graph_errors import status_error
from sandbox.samples import sample_of
from sandbox.statuses import contact_of
from sandbox.world import Citizen, MediaFile, Number, World

BSUID = re.compile(r"^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$")
PHONE = re.compile(r"^\d{7,15}$")
MEDIA_TYPES = {
    "image": "image/jpeg",
    "video": "video/mp4",
    "audio": "audio/ogg; codecs=opus",
    "document": "application/pdf",
    "sticker": "image/webp",
}
PLAIN_TYPES = {
    "text", "location", "contacts", "interactive", "button", "reaction", "order", "system", "unsupported", "edit",
    "revoke",
}  # fmt: skip
WEBHOOK_MEDIA_SECONDS = 7 * 86400.0


class UnfitMessage(ValueError):
    """A description of a citizen's message that no webhook can be made of."""


@dataclass(slots=True)
class Written:
    """A citizen's message, ready to go."""

    wamid: str
    update: Update


def write_message(*, world: World, raw: dict[str, Any]) -> Written:
    """Make the webhook update of one citizen's message, and note it in the books.

    raw: {"phone_number_id", "citizen": {…}, "message": {"type", …}, "stamped_at"?: seconds, "context_wamid"?}.
    Effect: opens the service window.  Raises UnfitMessage: something is missing or unknown.
    """
    number = world.numbers.get(str(raw.get("phone_number_id")))
    if number is None:
        raise UnfitMessage(f"there is no number {raw.get('phone_number_id')!r}")
    citizen = find_citizen(world=world, number=number, raw=raw.get("citizen") or {})
    now = world.clock.now()
    stamped_at = float(raw.get("stamped_at") or now)
    message = raw.get("message") or {}
    wamid = raw.get("wamid") or world.ids.next_wamid(digits=citizen.digits, outgoing=False)
    element = _element(world=world, number=number, citizen=citizen, message=message, wamid=wamid, stamp=int(stamped_at))
    if raw.get("context_wamid"):
        element["context"] = {"from": number.digits, "id": raw["context_wamid"]}
    if world.switches.throughput_limit:
        number.bucket.take_inbound(now=time.monotonic())
    if message["type"] not in ("system", "unsupported"):
        citizen.wrote_at[number.id] = max(stamped_at, citizen.wrote_at.get(number.id, stamped_at))
    if message.get("referral"):
        citizen.entered_at[number.id] = stamped_at
    row = world.books.inbound.setdefault(
        wamid,
        Inbound(
            wamid=wamid,
            at=now,
            stamped_at=stamped_at,
            number_id=number.id,
            citizen_key=citizen.key,
            type=message["type"],
        ),
    )

    def acknowledged() -> None:
        row.acknowledged = True
        world.announce_links(citizen=citizen, number=number)

    update = Update(
        waba_id=number.business.waba_id,
        number=number,
        url=number.override_url or world.config.webhook_url,
        kind="messages",
        field=_field_of(raw=raw),
        element=element,
        contact=None if message["type"] == "system" else contact_of(citizen=citizen, world=world, with_username=True),
        inbound_wamid=wamid,
        on_acknowledged=acknowledged,
    )
    return Written(wamid=wamid, update=update)


def _field_of(*, raw: dict[str, Any]) -> str:
    """Tell the webhook field: `standby` instead of `messages` while Meta's own agent handles the thread."""
    field = raw.get("field", "messages")
    if field not in ("messages", "standby"):
        raise UnfitMessage("a citizen's message comes in the field messages or standby")
    return str(field)


def find_citizen(*, world: World, number: Number, raw: dict[str, Any]) -> Citizen:
    """Find or make the citizen described. Raises UnfitMessage: neither id, or one that cannot be."""
    phone, bsuid = raw.get("phone"), raw.get("bsuid")
    phone = str(phone).lstrip("+") if phone else None
    if not phone and not bsuid:
        raise UnfitMessage("a citizen has a phone, a bsuid or both")
    if phone and not PHONE.match(phone):
        raise UnfitMessage("a phone is 7 to 15 digits, with the country code")
    if bsuid and not BSUID.match(bsuid):
        raise UnfitMessage("a bsuid is a country code, a dot and letters or digits")
    citizen = world.citizen(business=number.business, phone=phone, bsuid=bsuid)
    citizen.name = raw.get("name") or citizen.name
    citizen.username = raw.get("username") or citizen.username
    citizen.parent_bsuid = raw.get("parent_bsuid") or citizen.parent_bsuid
    return citizen


def _element(
    *, world: World, number: Number, citizen: Citizen, message: dict[str, Any], wamid: str, stamp: int
) -> dict[str, Any]:
    kind = message.get("type")
    if kind not in PLAIN_TYPES and kind not in MEDIA_TYPES:
        raise UnfitMessage(f"a citizen sends no {kind!r}")
    element: dict[str, Any] = {"id": wamid, "timestamp": str(stamp), "type": kind}
    if citizen.phone is not None:
        element["from"] = citizen.phone
    elif world.switches.bsuid_in_from:
        element["from"] = citizen.bsuid
    if citizen.bsuid is not None:
        element["from_user_id"] = citizen.bsuid
    if citizen.parent_bsuid is not None:
        element["from_parent_user_id"] = citizen.parent_bsuid
    for extra in ("context", "referral", "group_id"):
        if message.get(extra) is not None:
            element[extra] = message[extra]
    if kind in MEDIA_TYPES:
        element[kind] = _media(world=world, number=number, kind=kind, described=message.get(kind) or {})
    elif kind == "unsupported":
        element["errors"] = message.get("errors") or [
            status_error(code=131051, details="Message type is currently not supported.")
        ]
        element["unsupported"] = message.get("unsupported") or {"type": "poll"}
    elif message.get(kind) is not None:
        element[kind] = message[kind]
    elif kind != "interactive":  # Meta was seen to send an interactive message without its object
        raise UnfitMessage(f"a {kind} message needs the object {kind!r}")
    return element


def _media(*, world: World, number: Number, kind: str, described: dict[str, Any]) -> dict[str, Any]:
    mime_type = described.get("mime_type", MEDIA_TYPES[kind])
    content = _file_of(kind=kind, number=world.ids.next_number(), described=described)
    file = MediaFile(
        id=str(described.get("id") or world.ids.next_number()),
        number=number,
        mime_type=mime_type,
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        filename=described.get("filename"),
        expires_at=world.clock.now() + WEBHOOK_MEDIA_SECONDS,
    )
    world.media[file.id] = file
    shown: dict[str, Any] = {"mime_type": mime_type, "sha256": file.sha256, "id": file.id}
    if kind == "audio":
        shown["voice"] = bool(described.get("voice", True))
    if kind == "sticker":
        shown["animated"] = bool(described.get("animated", False))
    if kind == "document":
        shown["filename"] = described.get("filename", "document.pdf")
    if described.get("caption") is not None:
        shown["caption"] = described["caption"]
    if world.switches.media_url_in_webhook:
        shown["url"] = f"{world.public_url}/_media/{file.id}?source=webhook"
    return shown


def _file_of(*, kind: str, number: str, described: dict[str, Any]) -> bytes:
    """Return the bytes of a citizen's file: as told, in base64 or as a text, or one made for its kind."""
    if "content_base64" in described:
        try:
            return base64.b64decode(described["content_base64"], validate=True)
        except (binascii.Error, TypeError, ValueError) as error:
            raise UnfitMessage("content_base64 is not base64") from error
    if "content" in described:
        return str(described["content"]).encode()
    return sample_of(kind=kind, number=number)


def read_json(*, body: bytes) -> Any:
    """Read a JSON body. Raises UnfitMessage: it is none."""
    try:
        return json.loads(body or b"{}")
    except ValueError as error:
        raise UnfitMessage("the body is not JSON") from error
