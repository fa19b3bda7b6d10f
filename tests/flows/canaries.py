"""Canary values, and what finds them wherever they should not be, in every spelling that a program might give them.

Each canary holds a word that nothing else holds. The words are ASCII without spaces, so that JSON's, HTML's and
addresses' escapes leave them as they are; what is left to look for is capitals, base64, hexadecimal, plain digests,
and what people put between the digits of a phone number.
"""

import hashlib
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

# Citizens. Their numbers share their first digits, which are the word to look for.
PHONE = "+3169748159{:02}"
NAME = "Kwirijn Zandoogjé"
USERNAME = "zilvervisje_88"
BSUID = "NL.Kwikstaartjevlinder"
TEXT = "Er woont een wespenzeef in mijn dakgoot, wat nu? €"
CAPTION = "Hier ziet u de boktorbalk"
FILE_NAME = "meikeverrapport.pdf"
PLACE = "Sprinkhaanplantsoen"
PARAMETER = "de muizentarwevergunning"
CHOICE = "vlierbeskeverkeuze"
# Who works here, and what opens doors.
EMAIL = "klimoproest@voorbeeld.example"
WRONG_EMAIL = "bladluisvraat@voorbeeld.example"
PASSWORD = "Schorskever-wachtwoord-7"
WRONG_PASSWORD = "Glimwormpje-wachtwoord-8"
TOTP_SECRET = "KWALPOLIEPJE2345KWALPOLIEPJE2345"  # base32
VERIFY_TOKEN = "oorwurmsleutel"
IDEMPOTENCY_KEY = "duizendpoot-{}"
REPLY = "Wij sturen de plaagbestrijding: mierenleeuwploeg."

WORDS = {
    "phone number": "69748159",
    "name": "zandoogj",
    "username": "zilvervisje_88",
    "bsuid": "kwikstaartjevlinder",
    "text": "wespenzeef",
    "reply": "mierenleeuwploeg",
    "caption": "boktorbalk",
    "file name": "meikeverrapport",
    "place": "sprinkhaanplantsoen",
    "template parameter": "muizentarwevergunning",
    "choice": "vlierbeskeverkeuze",
    "e-mail address": "klimoproest",
    "wrong e-mail address": "bladluisvraat",
    "password": "schorskever",
    "wrong password": "glimwormpje",
    "secret of an app": "kwalpoliepje",
    "wrong verify token": "oorwurmsleutel",
    "idempotency key": "duizendpoot",
}
_BETWEEN_DIGITS = re.compile(r"(?<=\d)(?:%20|%2[bB]|\\u00a0|[ +\u00a0().\u2010-\u2015/-]){1,3}(?=\d)")
SHOWN_BESIDE = 60  # characters of what stands beside a find


@dataclass
class Finder:
    """Finds canaries in text. words: by kind; secrets among them are made by a run (`also`)."""

    words: Mapping[str, str]
    whole: Iterable[str] = ()  # values whose plain digest would betray them
    _spellings: list[tuple[str, bytes]] = field(init=False)

    def __post_init__(self) -> None:
        self._spellings = [(kind, each) for kind, word in self.words.items() for each in _disguises(word)]
        self._spellings += [("digest", each) for value in self.whole for each in _digests(value)]

    def find(self, where: str, said: bytes | str) -> list[str]:
        """Return each canary that is in it, with what stands beside it."""
        raw = said.encode("utf-8", "surrogatepass") if isinstance(said, str) else said
        squeezed = _BETWEEN_DIGITS.sub("", raw.decode("utf-8", "replace")).encode()
        found = []
        for text in (raw, raw.lower(), squeezed):
            for kind, spelling in self._spellings:
                at = text.find(spelling)
                if at >= 0:
                    beside = text[max(0, at - SHOWN_BESIDE) : at + len(spelling) + SHOWN_BESIDE]
                    found.append(f"{where}: {kind}: {beside!r}")
        return sorted(set(found))

    def kinds(self, said: bytes | str) -> set[str]:
        """Return the kinds of canary that are in it."""
        return {each.split(": ")[1] for each in self.find("", said)}


def _disguises(word: str) -> Iterator[bytes]:
    """Return how a word may be spelled: as it is, in hexadecimal, and in base64 wherever in a text it begins."""
    plain = {word, word.lower()}
    for each in plain:
        data = each.encode()
        yield from (data, data.hex().encode())
        for shift in range(3):
            for encode in (b64encode, urlsafe_b64encode):
                encoded = encode(b"\0" * shift + data).rstrip(b"=")
                begins = -(-shift * 8 // 6)  # characters that the bytes before it have a part in
                ends = (shift + len(data)) * 8 // 6  # and those that the bytes after it have one in
                yield encoded[begins:ends]


def _digests(value: str) -> Iterator[bytes]:
    for algorithm in (hashlib.md5, hashlib.sha1, hashlib.sha256):
        digest = algorithm(value.encode())
        yield from (digest.hexdigest().encode(), b64encode(digest.digest()).rstrip(b"="))
