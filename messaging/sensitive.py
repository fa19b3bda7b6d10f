"""Numbers that a citizen should not have sent: found in a text and masked, so that they are read by a deliberate click.

A citizen service number (BSN, by the eleven test), a payment card (by Luhn's) and an IBAN (modulo 97). It advises and
proves nothing: about one in eleven numbers of nine digits passes the eleven test. What is stored stays as it came.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

DOT = "•"
# How many characters an IBAN has, by country. Source: SWIFT, IBAN registry (those of SEPA, read 2026-11-22).
IBAN_CHARACTERS = {
    **dict.fromkeys(("NO",), 15),
    **dict.fromkeys(("BE",), 16),
    **dict.fromkeys(("DK", "FI", "NL"), 18),
    **dict.fromkeys(("SI",), 19),
    **dict.fromkeys(("AT", "EE", "LT", "LU"), 20),
    **dict.fromkeys(("CH", "HR", "LI", "LV"), 21),
    **dict.fromkeys(("BG", "DE", "GB", "IE"), 22),
    **dict.fromkeys(("GI",), 23),
    **dict.fromkeys(("AD", "CZ", "ES", "MD", "RO", "SE", "SK", "VA"), 24),
    **dict.fromkeys(("PT",), 25),
    **dict.fromkeys(("IS", "TR"), 26),
    **dict.fromkeys(("FR", "GR", "IT", "MC", "SM"), 27),
    **dict.fromkeys(("AL", "CY", "HU", "PL"), 28),
    **dict.fromkeys(("MT",), 31),
}
_IBAN = re.compile(r"(?<![A-Za-z0-9])([A-Za-z]{2})\d{2}")
_CARD = re.compile(r"(?<![\d+])[2-6](?:[ -]?\d){12,18}(?!\d)")
# Nine digits, or eight where the first one is a nought that was left out. With separators only where no other digits
# stand beside them, else half of a telephone number or a date would do.
_BSN = re.compile(r"(?<![\d+])\d{9}(?!\d)|(?<![\d+])(?<!\d[ .-])(?:\d{8}|\d(?:[ .-]?\d){8})(?![ .-]?\d)")
_IN_BETWEEN = " .-"
# Members of Meta's objects in which machines' words stand, beside all that end in "_id": an id of digits may well pass.
NO_WORDS = frozenset(
    {"customer", "flow_token", "from", "id", "identity", "link", "mime_type", "phone", "sha256", "type", "url"}
)


class Kind(StrEnum):
    """What a number seems to be."""

    BSN = "BSN"
    CARD = "CARD"
    IBAN = "IBAN"


@dataclass(frozen=True, slots=True)
class Found:
    """Where such a number stands in a text."""

    start: int
    end: int
    kind: Kind


@dataclass(frozen=True, slots=True)
class Masked:
    """A text as it is shown to everyone, and which such numbers it holds."""

    text: str
    kinds: frozenset[Kind]


def find(*, text: str) -> list[Found]:
    """Return the numbers in a text that are better not read by everyone, in their order; none overlaps another."""
    if not any(letter.isdigit() for letter in text):
        return []
    found: list[Found] = []
    for start, end in _ibans(text):
        found.append(Found(start=start, end=end, kind=Kind.IBAN))
    for kind, spans in ((Kind.CARD, _cards(text)), (Kind.BSN, _bsns(text))):
        free = [(start, end) for start, end in spans if all(end <= each.start or start >= each.end for each in found)]
        found += [Found(start=start, end=end, kind=kind) for start, end in free]
    return sorted(found, key=lambda each: each.start)


def masked(*, text: str) -> Masked:
    """Return a text in which of such numbers only the last two signs can be read, and of an IBAN its country."""
    found = find(text=text)
    letters = list(text) if found else []
    for each in found:
        first = each.start + 2 if each.kind is Kind.IBAN else each.start
        for place in range(first, each.end - 2):
            if letters[place] not in _IN_BETWEEN:
                letters[place] = DOT
    return Masked(text="".join(letters) if found else text, kinds=frozenset(each.kind for each in found))


def mask(*, text: str) -> str:
    """Return a text with such numbers masked."""
    return masked(text=text).text


def masked_content(*, content: object) -> tuple[Any, frozenset[Kind]]:
    """Return the object of a message as Meta writes it, masked wherever words may stand, and what was masked in it."""
    if isinstance(content, str):
        said = masked(text=content)
        return said.text, said.kinds
    if isinstance(content, list):
        parts = [masked_content(content=each) for each in content]
        return [part for part, _ in parts], frozenset().union(*(found for _, found in parts))
    if not isinstance(content, Mapping):
        return content, frozenset()
    by_name = {name: _member(name, each) for name, each in content.items()}
    kinds_found: frozenset[Kind] = frozenset().union(*(found for _, found in by_name.values()))
    return {name: part for name, (part, _) in by_name.items()}, kinds_found


def _member(name: str, value: object) -> tuple[Any, frozenset[Kind]]:
    if isinstance(value, str) and (name in NO_WORDS or name.endswith("_id")):
        return value, frozenset()
    return masked_content(content=value)


def kinds(*, text: str) -> frozenset[Kind]:
    """Return which such numbers a text holds."""
    return masked(text=text).kinds


def _ibans(text: str) -> list[tuple[int, int]]:
    spans = []
    for match in _IBAN.finditer(text):
        wanted = IBAN_CHARACTERS.get(match[1].upper(), 0)
        place, signs = match.start(), ""
        while place < len(text) and len(signs) < wanted:
            letter = text[place]
            if letter.isascii() and letter.isalnum():
                signs += letter.upper()
            elif letter not in _IN_BETWEEN or text[place - 1] in _IN_BETWEEN:
                break
            place += 1
        ends = place == len(text) or not (text[place].isascii() and text[place].isalnum())
        if wanted and len(signs) == wanted and ends and _is_iban(signs):
            spans.append((match.start(), place))
    return spans


def _is_iban(signs: str) -> bool:
    digits = "".join(str(int(letter, 36)) for letter in signs[4:] + signs[:4])
    return int(digits) % 97 == 1


def _cards(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in _CARD.finditer(text) if _is_card(_digits(match[0]))]


def _is_card(digits: list[int]) -> bool:
    doubled = [2 * digit - 9 if 2 * digit > 9 else 2 * digit for digit in digits[-2::-2]]
    return len(set(digits)) > 1 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _bsns(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in _BSN.finditer(text) if _is_bsn(_digits(match[0]))]


def _is_bsn(digits: list[int]) -> bool:
    digits = [0] * (9 - len(digits)) + digits
    weighed = sum(digit * weight for digit, weight in zip(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1), strict=True))
    return any(digits[:8]) and weighed % 11 == 0


def _digits(text: str) -> list[int]:
    return [int(letter) for letter in text if letter.isdigit()]
