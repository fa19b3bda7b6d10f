"""Each code of Meta's that we classify is said in plain words, in both languages."""

import pytest

from whatsapp.errors import CLASSIFICATIONS
from whatsapp.reasons import reason_of


@pytest.mark.parametrize("code", sorted(set(CLASSIFICATIONS)))
def test_each_classified_code_has_both_texts(code):
    reason = reason_of(code=code)
    assert reason is not None
    for text in reason:
        assert text[0].isupper()
        assert text.endswith(".")
        assert len(text) > 20
    assert reason.nl != reason.en
    assert reason.in_language("en-GB") == reason.en
    assert reason.in_language("nl") == reason.in_language(None) == reason.nl
    assert str(code) not in f"{reason.nl} {reason.en}"  # it is shown beside the words
