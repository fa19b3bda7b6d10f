"""Encryption at rest, and its keys in turn."""

import pytest
from cryptography.fernet import Fernet

from tenants.encryption import UnreadableSecret, decrypt, encrypt

OLD, NEW, OTHER = (Fernet.generate_key().decode() for _ in range(3))


def test_it_reads_what_it_wrote_and_never_writes_it_twice_alike(settings):
    settings.FIELD_ENCRYPTION_KEYS = (NEW,)
    once, again = encrypt(plain=b"teken"), encrypt(plain=b"teken")
    assert once != again
    assert b"teken" not in once
    assert decrypt(encrypted=once) == decrypt(encrypted=again) == b"teken"


def test_it_reads_with_an_old_key_and_writes_with_the_first(settings):
    settings.FIELD_ENCRYPTION_KEYS = (OLD,)
    before = encrypt(plain=b"teken")
    settings.FIELD_ENCRYPTION_KEYS = (NEW, OLD)
    assert decrypt(encrypted=before) == b"teken"
    after = encrypt(plain=b"teken")
    settings.FIELD_ENCRYPTION_KEYS = (NEW,)
    assert decrypt(encrypted=after) == b"teken"
    with pytest.raises(UnreadableSecret):
        decrypt(encrypted=before)


def test_it_opens_nothing_with_another_key_or_after_an_alteration(settings):
    settings.FIELD_ENCRYPTION_KEYS = (NEW,)
    written = encrypt(plain=b"teken")
    with pytest.raises(UnreadableSecret):
        decrypt(encrypted=written[:-2] + bytes([written[-2] ^ 1]) + written[-1:])
    settings.FIELD_ENCRYPTION_KEYS = (OTHER,)
    with pytest.raises(UnreadableSecret) as caught:
        decrypt(encrypted=written)
    assert written.decode() not in str(caught.value)


def test_it_keeps_tokens_of_numbers_readable_through_a_rotation(utrecht, settings):
    number = utrecht.numbers.get()
    settings.FIELD_ENCRYPTION_KEYS = (NEW, *settings.FIELD_ENCRYPTION_KEYS)
    assert number.access_token() == "token-of-utrecht"
    number.set_access_token("nieuw")
    number.save()
    settings.FIELD_ENCRYPTION_KEYS = (NEW,)
    number.refresh_from_db()
    assert number.access_token() == "nieuw"
