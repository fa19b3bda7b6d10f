"""Whether somebody may listen to changes, and which version of what they see is now. web/live.py asks, and streams."""

from uuid import UUID

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_GET

from accounts.permissions import Permission
from messaging import lists, reading
from messaging.models import Thread
from tenants import clock
from web.access import PageRequest, requires
from web.inbox import list_asked_for


@require_GET
@requires(Permission.READ_THREADS)
def inbox(request: PageRequest) -> HttpResponse:
    """Admit to the changes of the inbox."""
    return _admitted(request, version=lists.inbox(**list_asked_for(request), at=clock.now()).version)


@require_GET
@requires(Permission.READ_THREADS)
def thread(request: PageRequest, thread_id: UUID) -> HttpResponse:
    """Admit to the changes of one thread."""
    try:
        version = reading.thread(thread_id=thread_id, at=clock.now()).version
    except Thread.DoesNotExist:
        raise Http404 from None
    return _admitted(request, version=version, thread_id=str(thread_id))


def _admitted(request: PageRequest, *, version: str, thread_id: str = "") -> HttpResponse:
    schema_name = request.tenant.schema_name
    headers = {"X-Live-Schema": schema_name, "X-Live-Thread": thread_id, "X-Live-Version": version}
    return HttpResponse(status=204, headers=headers)
