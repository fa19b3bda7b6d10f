"""A provider's document, kept by each process for a minute, so that not every visitor makes us ask, nor wait.

What is kept is public. It is kept with the moment of the settings that it was asked for by: once an admin saves them,
every process asks anew.
"""

import time
from datetime import datetime

from accounts.sign_on.discovery import Provider, discover
from accounts.sign_on.models import SignOn
from accounts.sign_on.trouble import ProviderTrouble

KEPT_SECONDS, TROUBLE_KEPT_SECONDS = 60.0, 5.0
MOST = 1000
_kept: dict[tuple[str, datetime], tuple[float, Provider | str]] = {}


def provider(*, sign_on: SignOn) -> Provider:
    """Return what a municipality's provider says of itself, at most a minute old.  Raises ProviderTrouble."""
    asked_by = (sign_on.issuer, sign_on.changed_at)
    until, found = _kept.get(asked_by, (0.0, ""))
    if time.monotonic() >= until:
        found, seconds = _ask(sign_on.issuer)
        if len(_kept) >= MOST:
            _kept.clear()
        _kept[asked_by] = (time.monotonic() + seconds, found)
    if isinstance(found, str):
        raise ProviderTrouble(found)
    return found


def forget() -> None:
    """Have this process ask anew the next time."""
    _kept.clear()


def _ask(issuer: str) -> tuple[Provider | str, float]:
    try:
        return discover(issuer=issuer), KEPT_SECONDS
    except ProviderTrouble as trouble:
        return trouble.code, TROUBLE_KEPT_SECONDS
