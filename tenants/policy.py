"""What in a draft's words may not be there: phrases of the four prohibitions, as dated data. Pure.

A finding is a reason for a person at the BSP to look, not a verdict: "stempas" passes, "uw verkiezingspas" is looked at
and released. Words are compared without accents, case, invisible signs and hyphens, also when their letters stand
apart ("V.V.D.", "s t e m"). Each row of data/flagged_phrases.csv has the dates between which it counts.

A phrase is words in a row. `*` at a word's end or beginning: whatever the word goes on or begins with, which is how
Dutch inflects and compounds. `~`: up to three words between. `#`: a number. Names that are common words otherwise count
only as they are written: DENK, not denk.
"""

import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path

from tenants.declaration import Prohibition

FILE = Path(__file__).parent / "data" / "flagged_phrases.csv"
MOST_BETWEEN = 3
# Parties whose names are common words in small letters.
ONLY_AS_WRITTEN = frozenset({"DENK", "Volt", "SP"})

_HYPHENS = re.compile(r"(?<=\w)[-\u2010-\u2015](?=\w)")
_WORD = re.compile(r"[^\W_]+")
_GAP = rf"(?: \w+){{0,{MOST_BETWEEN}}}"
# Signs that look like a Latin letter and are none: Greek and Cyrillic ones that are used to get round a filter.
_LOOK_ALIKE = str.maketrans("аеорсхуіѕјАВЕКМНОРСТХУαορνΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "aeopcxyisjABEKMHOPCTXYaopvABEZHIKMNOPTYX")


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Words that a prohibition flags. words: as they stand in the text, without accents, in small letters."""

    prohibition: str
    words: str


@dataclass(frozen=True, slots=True)
class _Phrase:
    prohibition: str
    pattern: re.Pattern[str]
    from_date: date
    until_date: date | None


def check(*, texts: Iterable[str], on: date) -> tuple[Finding, ...]:
    """Return what is flagged in some texts by the phrases that count on a day, each once, in a fixed order."""
    phrases = [each for each in _phrases() if each.from_date <= on and (not each.until_date or on < each.until_date)]
    found = {
        Finding(prohibition=phrase.prohibition, words=match[0].strip().lower())
        for written in texts
        for variant in _variants(written)
        for phrase in phrases
        for match in phrase.pattern.finditer(variant)
    }
    return tuple(sorted(found))


def version(*, on: date) -> date:
    """Return since when the phrases are as they are on a day."""
    days = {each.from_date for each in _phrases()} | {each.until_date for each in _phrases() if each.until_date}
    return max(day for day in days if day <= on)


def _variants(written: str) -> Iterator[str]:
    """Return a text's words with one space between and around them: with hyphens as spaces, and as nothing."""
    plain = unicodedata.normalize("NFKC", written).translate(_LOOK_ALIKE)
    plain = "".join(sign for sign in plain if unicodedata.category(sign) != "Cf")
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(sign))
    seen = set()
    for between in (" ", ""):
        words = _WORD.findall(_HYPHENS.sub(between, plain))
        for each in (words, _joined(words)):
            variant = f" {' '.join(each)} "
            if variant not in seen:
                seen.add(variant)
                yield variant


def _joined(words: list[str]) -> list[str]:
    """Put letters together that stand alone next to each other."""
    joined = words[:1]
    for before, word in pairwise(words):
        if len(before) == len(word) == 1:
            joined[-1] += word
        else:
            joined.append(word)
    return joined


@cache
def _phrases() -> tuple[_Phrase, ...]:
    with FILE.open(encoding="utf-8", newline="") as file:
        return tuple(
            _Phrase(
                prohibition=Prohibition(row["prohibition"]).value,
                pattern=_pattern(row["phrase"]),
                from_date=date.fromisoformat(row["from_date"]),
                until_date=date.fromisoformat(row["until_date"]) if row["until_date"] else None,
            )
            for row in csv.DictReader(file)
        )


def _pattern(phrase: str) -> re.Pattern[str]:
    """Return what finds a phrase in a variant; the space before it is part of what is found."""
    parts = [_GAP if word == "~" else " " + _of_word(word) for word in phrase.split()]
    flags = 0 if phrase in ONLY_AS_WRITTEN else re.IGNORECASE
    return re.compile("".join(parts) + r"(?= )", flags)


def _of_word(word: str) -> str:
    if word == "#":
        return r"\d+"
    begin = r"\w*" if word.startswith("*") else ""
    end = r"\w*" if word.endswith("*") and word != "*" else ""
    return r"\w+" if word == "*" else begin + re.escape(word.strip("*")) + end
