"""What a token says of somebody, read without trust: pure.

Microsoft's Entra ID differs from others: groups come as GUIDs; when somebody is in too many, none comes, but a pointer
to another service (`_claim_names`); roles of the app come in `roles`; there is no `email_verified`, and the address is
often in `preferred_username` alone. Source: Microsoft, ID token claims reference (read 2026-11-25).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from accounts.sign_on.trouble import UnusableClaims

SUBJECT_CHARACTERS = 191  # of allauth's column; OpenID Connect allows 255, and no provider we know needs as many
_NAME_CHARACTERS, _EMAIL_CHARACTERS = 200, 254
# What says that there were two factors (RFC 8176, and Microsoft's own); "otp" alone may have been the only one.
STRONG_METHODS = frozenset({"mfa", "ngcmfa"})


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, as the provider says it. groups: as the token calls them. strong: by two factors, says the token."""

    subject: str
    email: str
    name: str
    groups: frozenset[str]
    strong: bool


def person_of(*, claims: Mapping[str, Any], groups_claim: str, strong_acr: str) -> Person:
    """Return whom a token is about.  Raises UnusableClaims."""
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= SUBJECT_CHARACTERS:
        raise UnusableClaims("NO_SUBJECT")
    email = _email(claims)
    name = claims.get("name")
    return Person(
        subject=subject,
        email=email,
        name=(name.strip() if isinstance(name, str) else "")[:_NAME_CHARACTERS] or email.partition("@")[0],
        groups=_groups(claims, groups_claim),
        strong=_is_strong(claims, strong_acr),
    )


def _email(claims: Mapping[str, Any]) -> str:
    for name in ("email", "preferred_username", "upn"):
        value = claims.get(name)
        if not isinstance(value, str) or len(value) > _EMAIL_CHARACTERS:
            continue
        try:
            validate_email(value)
        except ValidationError:
            continue
        return value.lower()
    raise UnusableClaims("NO_EMAIL")


def _groups(claims: Mapping[str, Any], name: str) -> frozenset[str]:
    value = claims.get(name)
    if isinstance(value, str):
        return frozenset({value})
    if isinstance(value, list):
        return frozenset(each for each in value if isinstance(each, str))
    elsewhere = claims.get("_claim_names")
    if (isinstance(elsewhere, dict) and name in elsewhere) or claims.get("hasgroups") is True:
        raise UnusableClaims("TOO_MANY_GROUPS")
    return frozenset()


def _is_strong(claims: Mapping[str, Any], strong_acr: str) -> bool:
    methods = claims.get("amr")
    named = {each for each in methods if isinstance(each, str)} if isinstance(methods, list) else set()
    return bool(named & STRONG_METHODS) or (strong_acr != "" and claims.get("acr") == strong_acr)
