"""The kinds without parts of their own: text, location, contact cards, reactions.

Source: Meta, text, location, contacts and reaction messages, read 2026-11-22.
"""

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from whatsapp import limits
from whatsapp.outgoing.parts import InvalidContent, count, lines, need, sized

# Of an emoji: symbols and modifiers, marks, joiners, tags; digits only as keycaps.
_EMOJI_CATEGORIES = frozenset({"So", "Sk", "Sm", "Mn", "Me", "Cf", "Po", "Nd"})
_SURE_EMOJI = frozenset({"So", "Sk", "Me"})
_SELECTOR = "\N{VARIATION SELECTOR-16}"  # asks for the emoji form of signs such as ‼ and ↔


@dataclass(frozen=True, slots=True)
class Text:
    """A free-form text."""

    body: str
    preview_url: bool = False

    @property
    def type(self) -> str:
        """Meta's name of the kind."""
        return "text"

    def as_meta(self) -> dict[str, Any]:
        """Return Meta's text object.  Raises InvalidContent: nothing to read. LimitExceeded: too long."""
        need(self.body, "text_empty")
        sized(self.body, "text_too_long", limits.TEXT_BODY_CHARACTERS)
        return {"body": self.body, "preview_url": self.preview_url}

    def readable(self) -> str:
        """Return the text."""
        return self.body


@dataclass(frozen=True, slots=True)
class Location:
    """A place on the map. latitude, longitude: degrees."""

    latitude: float
    longitude: float
    name: str = ""
    address: str = ""

    @property
    def type(self) -> str:
        """Meta's name of the kind."""
        return "location"

    def as_meta(self) -> dict[str, Any]:
        """Return Meta's location object.  Raises LimitExceeded, InvalidContent."""
        if not math.isfinite(self.latitude) or abs(self.latitude) > 90:
            raise InvalidContent("location_latitude_invalid")
        if not math.isfinite(self.longitude) or abs(self.longitude) > 180:
            raise InvalidContent("location_longitude_invalid")
        sized(self.name, "location_name_too_long", limits.LOCATION_NAME_CHARACTERS)
        sized(self.address, "location_address_too_long", limits.LOCATION_ADDRESS_CHARACTERS)
        if self.address and not self.name:
            raise InvalidContent("location_name_missing")  # WhatsApp shows an address below a name only
        place: dict[str, Any] = {"latitude": self.latitude, "longitude": self.longitude}
        if self.name:
            place["name"] = self.name
        if self.address:
            place["address"] = self.address
        return place

    def readable(self) -> str:
        """Return name, address and degrees."""
        return lines(self.name, self.address, f"{self.latitude:.6f}, {self.longitude:.6f}")


@dataclass(frozen=True, slots=True)
class Card:
    """One contact card. phones: each with its kind (WORK, HOME, CELL) or ""; organisation: where they work."""

    formatted_name: str
    first_name: str = ""
    last_name: str = ""
    phones: tuple[tuple[str, str], ...] = ()
    emails: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    organisation: str = ""

    def as_meta(self) -> dict[str, Any]:
        """Return Meta's card.  Raises LimitExceeded, InvalidContent."""
        need(self.formatted_name, "contacts_name_missing")
        every = (self.formatted_name, self.first_name, self.last_name, self.organisation, *self.emails, *self.urls)
        for each in (*every, *(phone for phone, _ in self.phones)):
            sized(each, "contacts_part_too_long", limits.CONTACT_PART_CHARACTERS)
        for each in (*self.emails, *self.urls, *(phone for phone, _ in self.phones)):
            need(each, "contacts_part_empty")
        # Besides the full name Meta wants one of its parts.
        name = {"formatted_name": self.formatted_name, "first_name": self.first_name or self.formatted_name}
        if self.last_name:
            name["last_name"] = self.last_name
        card: dict[str, Any] = {"name": name}
        if self.phones:
            card["phones"] = [{"phone": phone, **({"type": kind} if kind else {})} for phone, kind in self.phones]
        if self.emails:
            card["emails"] = [{"email": email} for email in self.emails]
        if self.urls:
            card["urls"] = [{"url": url} for url in self.urls]
        if self.organisation:
            card["org"] = {"company": self.organisation}
        return card

    def readable(self) -> str:
        """Return what the card says, a line each."""
        return lines(
            self.formatted_name, self.organisation, *(phone for phone, _ in self.phones), *self.emails, *self.urls
        )


@dataclass(frozen=True, slots=True)
class Contacts:
    """Contact cards, such as that of a department."""

    cards: Sequence[Card]

    @property
    def type(self) -> str:
        """Meta's name of the kind."""
        return "contacts"

    def as_meta(self) -> list[dict[str, Any]]:
        """Return Meta's list of cards.  Raises LimitExceeded, InvalidContent."""
        count(len(self.cards), "contacts_count", least=1, most=limits.CONTACT_CARDS)
        return [card.as_meta() for card in self.cards]

    def readable(self) -> str:
        """Return the cards below each other."""
        return "\n\n".join(card.readable() for card in self.cards)


@dataclass(frozen=True, slots=True)
class Reaction:
    """A reaction to a message by its wamid; an empty emoji takes an earlier one away."""

    wamid: str
    emoji: str

    @property
    def type(self) -> str:
        """Meta's name of the kind."""
        return "reaction"

    def as_meta(self) -> dict[str, Any]:
        """Return Meta's reaction object.  Raises InvalidContent: no target, or no single emoji."""
        need(self.wamid, "reaction_target_missing")
        if self.emoji and not is_emoji(self.emoji):
            raise InvalidContent("reaction_emoji_invalid")
        return {"message_id": self.wamid, "emoji": self.emoji}

    def readable(self) -> str:
        """Return the emoji; nothing when one was taken away."""
        return self.emoji


def is_emoji(text: str) -> bool:
    """Return whether a text is a single emoji, as far as Unicode's categories tell: signs, and no words."""
    if not 0 < len(text) <= limits.EMOJI_CHARACTERS:
        return False
    categories = [unicodedata.category(letter) for letter in text]
    if not _EMOJI_CATEGORIES.issuperset(categories):
        return False
    return not _SURE_EMOJI.isdisjoint(categories) or (text.endswith(_SELECTOR) and len(text) == 2)
