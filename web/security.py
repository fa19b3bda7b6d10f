"""`/.well-known/security.txt`: where somebody who finds a hole says so, on every host.

Source: RFC 9116; the Dutch government's standard of that name is on its "comply or explain" list (read 2026-11-22).
"""

from datetime import timedelta

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

# It must say when it is to be doubted, less than a year ahead; it is made anew with each request.
GOOD_FOR = timedelta(days=180)


@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:
    """Return contact, end of validity, languages and own address; 404 where the BSP named no contact."""
    if settings.SECURITY_CONTACT is None:
        raise Http404
    expires_at = (timezone.now() + GOOD_FOR).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = [
        f"Contact: {settings.SECURITY_CONTACT}",
        f"Expires: {expires_at:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: nl, en",
        f"Canonical: {request.build_absolute_uri()}",
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")
