"""What all kinds of outgoing messages have in common: the form of a content, whom it goes to, how parts are checked.

Errors carry a stable code and no content; whatsapp/texts.py has each in Dutch and English.
"""

import re
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from whatsapp import limits
from whatsapp.limits import check
from whatsapp.payloads.parts import BSUID

_WA_ID = re.compile(r"[0-9]{5,20}")


class InvalidContent(ValueError):
    """A message that Meta would refuse whatever its length. `code` is stable: higher rooms translate it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Content(Protocol):
    """What a message says; a new kind only has to look like this."""

    @property
    def type(self) -> str:
        """Meta's name of the kind, which is the key of its object too."""

    def as_meta(self) -> Any:
        """Return Meta's object of this kind; for contact cards a list.  Raises LimitExceeded, InvalidContent."""

    def readable(self) -> str:
        """Return what a person reads of it in a thread: the citizen's view in plain lines, in no language of ours."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a message goes to: by phone number where it is known, else by business-scoped user id.

    wa_id: digits, without "+".  Raises InvalidContent: neither id, or one that is none.
    """

    wa_id: str | None = None
    bsuid: str | None = None

    def __post_init__(self) -> None:
        if self.wa_id is None and self.bsuid is None:
            raise InvalidContent("recipient_missing")
        if self.wa_id is not None and not _WA_ID.fullmatch(self.wa_id):
            raise InvalidContent("recipient_wa_id_invalid")
        if self.bsuid is not None and not BSUID.fullmatch(self.bsuid):
            raise InvalidContent("recipient_bsuid_invalid")

    def as_meta(self) -> dict[str, str]:
        """Return the one key that names the recipient; with both ids Meta would take the phone number anyway."""
        if self.wa_id is not None:
            # Without "+" Meta puts the country code of the sending number before it: another person's number.
            return {"to": f"+{self.wa_id}"}
        assert self.bsuid is not None
        return {"recipient": self.bsuid}


def need(text: str, code: str) -> None:
    """Do nothing when there is something to read.  Raises InvalidContent with the code."""
    if not text.strip():
        raise InvalidContent(code)


def sized(text: str, code: str, most: int) -> None:
    """Do nothing when a text is short enough.  Raises LimitExceeded with the code."""
    check(code=code, limit=most, actual=len(text))


def count(actual: int, code: str, *, least: int, most: int) -> None:
    """Do nothing when there are as many as may be.  Raises InvalidContent: too few. LimitExceeded: too many."""
    if actual < least:
        raise InvalidContent(code)
    check(code=code, limit=most, actual=actual)


def web_address(url: str, code: str, *, too_long: str, schemes: tuple[str, ...] = ("https",)) -> None:
    """Do nothing when a url names a page on the web.  Raises InvalidContent, LimitExceeded with the codes."""
    sized(url, too_long, limits.LINK_CHARACTERS)
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        raise InvalidContent(code) from None
    if parts.scheme not in schemes or not host or any(each.isspace() for each in url):
        raise InvalidContent(code)


def lines(*parts: str | None) -> str:
    """Return the parts that say something, each on lines of its own."""
    return "\n".join(part for part in parts if part)
