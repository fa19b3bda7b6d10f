"""A provider's document, kept by each process for a minute, so that not every visitor makes us ask, nor wait.

What is kept is public, and of the issuer alone: two municipalities of one provider may share it.
"""

import time

from accounts.sign_on.discovery import Provider, discover
from accounts.sign_on.trouble import ProviderTrouble

KEPT_SECONDS, TROUBLE_KEPT_SECONDS = 60.0, 5.0
MOST = 1000
_kept: dict[str, tuple[float, Provider | str]] = {}


def provider(*, issuer: str) -> Provider:
    """Return what a provider says of itself, at most a minute old.  Raises ProviderTrouble."""
    until, found = _kept.get(issuer, (0.0, ""))
    if time.monotonic() >= until:
        found, seconds = _ask(issuer)
        if len(_kept) >= MOST:
            _kept.clear()
        _kept[issuer] = (time.monotonic() + seconds, found)
    if isinstance(found, str):
        raise ProviderTrouble(found)
    return found


def forget(*, issuer: str) -> None:
    """Ask anew the next time."""
    _kept.pop(issuer, None)


def _ask(issuer: str) -> tuple[Provider | str, float]:
    try:
        return discover(issuer=issuer), KEPT_SECONDS
    except ProviderTrouble as trouble:
        return trouble.code, TROUBLE_KEPT_SECONDS
