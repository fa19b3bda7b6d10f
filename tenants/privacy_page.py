"""Which address can be a municipality's page on privacy: asked in its application, changed later by its admin."""

from urllib.parse import urlsplit

LONGEST = 300
_SCHEME = "https"


def secure_page(*, url: str) -> str | None:
    """Return an address as it is kept; None: no citizen can open it, or WhatsApp makes no link of it."""
    url = url.strip()
    if len(url) > LONGEST or not url.isprintable() or " " in url:
        return None
    try:
        parts = urlsplit(url)
        known = parts.scheme == _SCHEME and "." in (parts.hostname or "") and parts.username is None
    except ValueError:
        return None
    # Typed with capitals it is the same address; the database holds it to small ones.
    return _SCHEME + url[len(_SCHEME) :] if known else None
