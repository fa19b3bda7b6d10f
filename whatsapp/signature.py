"""Signatures of Meta's webhooks: proof that a POST comes from Meta and was not changed on the way.

The first step of a message's way in. The signature covers the raw bytes: a body that was parsed and written again has
another one. Knows nothing of what the body says.
Source: Meta, "Create a webhook endpoint" (X-Hub-Signature-256), read 2026-11-22.
"""

import hashlib
import hmac

PREFIX = "sha256="


def sign(*, body: bytes, app_secret: str) -> str:
    """Return the value that Meta would put in X-Hub-Signature-256 for this body: "sha256=" and 64 hex digits."""
    return PREFIX + hmac.digest(app_secret.encode(), body, hashlib.sha256).hex()


def is_valid(*, body: bytes, header: str | None, app_secret: str) -> bool:
    """Tell whether `header` is the signature of exactly these bytes, in constant time.

    Never raises: a header that is missing, too short, too long or not ASCII is simply not valid.
    """
    if header is None:
        return False
    # As bytes, because compare_digest refuses text that is not ASCII; lenient decoders of headers leave surrogates.
    given = header.encode("utf-8", "surrogatepass")
    return hmac.compare_digest(given, sign(body=body, app_secret=app_secret).encode("ascii"))
