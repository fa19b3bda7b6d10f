"""Meta's webhooks of every kind, with canaries wherever they name a person or quote one."""

import hashlib
import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.flows import canaries

FOLDER = Path(__file__).parents[1] / "payloads" / "whatsapp"
_NUMBERS = {"from", "to", "wa_id", "new_wa_id", "recipient_id", "recipient_participant_id", "phone", "phone_number"}
_NUMBERS |= {"customer", "input", "owner"}
_IDS = {"user_id", "from_user_id", "to_user_id", "recipient_user_id", "previous", "current", "bsuid"}
_PARENTS = {"parent_user_id", "from_parent_user_id", "recipient_parent_user_id"}
_TEXTS = {
    "body": canaries.TEXT,
    "text": canaries.TEXT,
    "caption": canaries.CAPTION,
    "filename": canaries.FILE_NAME,
    "name": canaries.NAME,
    "formatted_name": canaries.NAME,
    "first_name": canaries.NAME,
    "full_name": canaries.NAME,
    "username": f"@{canaries.USERNAME}",
    "address": canaries.PLACE,
    "description": canaries.PLACE,
    "title": f"{canaries.CHOICE} +31 6 9748-1590 7",
    "payload": canaries.CHOICE,
    "response_json": json.dumps({"antwoord": canaries.CHOICE}),
    "details": f"Recipient {canaries.PHONE.format(8)} ({canaries.NAME}) wrote {canaries.TEXT}",
    "message": f"To {canaries.PHONE.format(8)}: {canaries.TEXT}",
    "detail": canaries.TEXT,
}


def every_kind(*, waba_id: str, phone_number_id: str, salt: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return the payload of each case with its name, as if a number of this account were meant.

    salt: makes their ids others than those of another run.
    """
    for path in sorted(FOLDER.glob("*.json")):
        yield path.stem, _filled(json.loads(path.read_text()), waba_id, phone_number_id, f"{salt} {path.stem}")


def message(*, waba_id: str, phone_number_id: str, text: str, salt: str) -> dict[str, Any]:
    """Return a webhook with one text message."""
    return _filled(json.loads((FOLDER / "text.json").read_text()), waba_id, phone_number_id, salt, {"body": text})


def _filled(
    value: Any, waba_id: str, phone_number_id: str, salt: str, texts: dict[str, str] | None = None, key: str = ""
) -> Any:
    if isinstance(value, dict):
        return {
            name: waba_id
            if name == "id" and "changes" in value
            else _filled(item, waba_id, phone_number_id, salt, texts, name)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [_filled(item, waba_id, phone_number_id, salt, texts, key) for item in value]
    if not isinstance(value, str):
        return value
    if key == "phone_number_id":
        return phone_number_id
    if value.startswith("wamid."):
        number = canaries.PHONE.format(0)
        return "wamid." + b64encode(f"{number} {hashlib.sha256((salt + value).encode()).hexdigest()}".encode()).decode()
    if key in _NUMBERS:
        return canaries.PHONE.format(sum(value.encode()) % 5).removeprefix("+")
    if key in _IDS:
        return canaries.BSUID + "abcde"[sum(value.encode()) % 5]
    if key in _PARENTS:
        return canaries.BSUID.replace("NL.", "NL.ENT.")
    return {**_TEXTS, **(texts or {})}.get(key, value)
