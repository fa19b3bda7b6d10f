"""Encryption at rest of what must be readable again: access tokens, tenants' keys, quarantined events.

Keys come from FIELD_ENCRYPTION_KEYS: the first encrypts, all of them decrypt, so that keys can be rotated.
"""

from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class UnreadableSecret(Exception):
    """None of FIELD_ENCRYPTION_KEYS opens this value: a key was removed too early, or the value was altered."""


def encrypt(*, plain: bytes) -> bytes:
    """Return the value encrypted with the first key."""
    return _fernet(settings.FIELD_ENCRYPTION_KEYS).encrypt(plain)


def decrypt(*, encrypted: bytes) -> bytes:
    """Return the value.  Raises UnreadableSecret: no key opens it."""
    try:
        return _fernet(settings.FIELD_ENCRYPTION_KEYS).decrypt(encrypted)
    except InvalidToken as error:
        raise UnreadableSecret("no key in FIELD_ENCRYPTION_KEYS opens a stored value") from error


@cache
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])
