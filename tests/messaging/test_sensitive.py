"""Numbers that do not belong in WhatsApp: what is masked, and what is left alone."""

from itertools import pairwise

import pytest

from messaging.sensitive import Kind, find, mask


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Mijn BSN is 999990342 en ik", "Mijn BSN is •••••••42 en ik"),
        ("bsn:999.99.03.42.", "bsn:•••.••.••.42."),
        ("12345678 is van acht cijfers", "12345678 is van acht cijfers"),  # fails the eleven test
        ("10000008", "••••••08"),  # a BSN whose first nought was left out
        ("NL91 ABNA 0417 1643 00 graag", "NL•• •••• •••• •••• 00 graag"),
        ("(nl91abna0417164300)", "(nl••••••••••••••00)"),
        ("DE89 3704 0044 0532 0130 00", "DE•• •••• •••• •••• •••• 00"),
        ("kaart 4111-1111-1111-1111", "kaart ••••-••••-••••-••11"),
        ("999990342 en NL91ABNA0417164300", "•••••••42 en NL••••••••••••••00"),
    ],
)
def test_what_seems_such_a_number_is_masked_but_for_its_end(text, masked):
    assert mask(text=text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Bel +31 6 12345678, 06-12345678 of 0612345678",
        "Geboren op 11-11-1980, afspraak 02-03-2026 10:15",
        "999990343",  # fails the eleven test
        "000000000",
        "NL91 ABNA 0417 1643 01",  # fails modulo 97
        "4111 1111 1111 1112",  # fails Luhn's
        "Zaak Z2026-0000123456789012345678",
        "wamid.9999903421",
    ],
)
def test_what_is_none_stays_as_it_is(text):
    assert mask(text=text) == text


def test_nothing_is_found_twice():
    found = find(text="NL20INGB0001234567 4111111111111111 999990342")
    assert [each.kind for each in found] == [Kind.IBAN, Kind.CARD, Kind.BSN]
    assert all(one.end <= other.start for one, other in pairwise(found))
