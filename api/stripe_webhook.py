"""Stripe's door: `POST /webhooks/stripe` on the console's host. Verified, stored once by its id, then 200.

403: not signed by Stripe, nothing stored. 400: signed, and no event. 413: too large. 503: not stored, so it is sent
again. 404: this installation does not collect by Stripe (STRIPE_WEBHOOK_SECRET).
"""

import structlog
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from billing.collecting import events
from tenants import clock

MOST_BYTES = 512 * 1024  # an event of an invoice with its first lines is some 20 kB

log = structlog.get_logger(__name__)


@csrf_exempt  # it carries a signature of its own, and no cookie counts
@require_POST
def stripe_webhook(request: HttpRequest) -> HttpResponse:
    """Take one event."""
    if not settings.STRIPE_WEBHOOK_SECRET:
        return HttpResponse(status=404)
    try:
        body = request.body
    except RequestDataTooBig:
        return HttpResponse(status=413)
    if len(body) > MOST_BYTES:
        return HttpResponse(status=413)
    try:
        events.receive(body=body, signature=request.headers.get("Stripe-Signature", ""), at=clock.now())
    except events.BadSignature:
        log.warning("stripe_event_refused", bytes=len(body))
        return HttpResponse(status=403)
    except events.NoEvent:
        return HttpResponse(status=400)
    except DatabaseError as error:
        log.warning("stripe_event_not_stored", error=type(error).__name__)
        return HttpResponse(status=503)
    return HttpResponse(status=200)
