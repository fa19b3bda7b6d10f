"""What somebody had shown in full in one window, so that a page that brings itself up to date goes on showing it.

The window keeps it, signed, and sends it along with what it asks for (web/static/web/live.js): in a header, because an
address is written down everywhere. Loaded again, a page has none; in another session it is worth nothing.
"""

from collections.abc import Mapping
from uuid import UUID

from django.core import signing
from django.http import HttpRequest

from accounts.permissions import Permission
from web.access import permissions

HEADER = "X-Revealed"
MOST = 30  # in one window; of those before, the numbers are masked again


def revealed_in(request: HttpRequest, *, thread_id: UUID) -> dict[UUID, str]:
    """Return what stands in full in the window that asks: the mark of each text, by message or note."""
    if HEADER not in request.headers or Permission.REVEAL_NUMBERS not in permissions(request):
        return {}
    try:
        kept = signing.loads(request.headers[HEADER], salt=_salt(request, thread_id))
    except signing.BadSignature:  # of another session or thread, or made up
        return {}
    return {UUID(hex=id_): mark for id_, mark in kept.items()}


def token(request: HttpRequest, *, thread_id: UUID, revealed: Mapping[UUID, str]) -> str:
    """Return what the window is to keep; '' where everything is masked."""
    if not revealed:
        return ""
    kept = {id_.hex: mark for id_, mark in list(revealed.items())[-MOST:]}
    return signing.dumps(kept, salt=_salt(request, thread_id), compress=True)


def _salt(request: HttpRequest, thread_id: UUID) -> str:
    return f"web.revealed {request.session.session_key} {thread_id}"
