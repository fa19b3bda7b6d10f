"""Each code of Meta's that we classify is said in plain words, in both languages."""

import re

import pytest

from whatsapp.errors import CLASSIFICATIONS
from whatsapp.reasons import REASONS, reason_of


@pytest.mark.parametrize("code", sorted(set(CLASSIFICATIONS)))
def test_each_classified_code_has_both_texts(code):
    reason = reason_of(code=code)
    assert reason is not None
    for text in (reason.nl, reason.en):
        assert text[0].isupper()
        assert text.endswith(".")
        assert len(text) > 20
    assert reason.nl != reason.en
    assert reason.in_language("en-GB") == reason.en
    assert reason.in_language("nl") == reason.in_language(None) == reason.nl
    assert str(code) not in f"{reason.nl} {reason.en}"  # it is shown beside the words


def test_where_sending_again_cannot_help_the_words_say_what_can():
    last = re.compile(r"(Gebruik|Stuur|Meld|Kies|Vul|Schrijf|Stel|Ga na|Uw leverancier)\b[^.]*\.$")
    without = [code for code, reason in REASONS.items() if not reason.helps_again]
    assert {131026, 130472, 131050, 132016, 137000} <= set(without)
    assert [code for code in without if not last.search(REASONS[code].nl)] == []
    # What passes, what is mended, and what a citizen who wrote since has ended.
    assert all(REASONS[code].helps_again for code in (131016, 130429, 131056, 131042, 131047))
