"""The trail, for a municipality's privacy officer and for the BSP's operator: search it, and take it elsewhere.

The same pages on both kinds of host, each with the trail of its own schema. One domain call a view.
"""

from collections.abc import AsyncIterator
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode

from asgiref.sync import sync_to_async
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_safe
from django_tenants.utils import schema_context

from accounts.permissions import Permission
from audit import exporting, searching
from audit.models import Entry
from audit.record import record
from tenants import clock
from web.access import PageRequest, requires
from web.words import ACTIONS, OUTCOMES

USUAL_DAYS = 30  # what is shown first; a search may go back to the beginning
LONGEST = 200
FIELDS = ("who", "what", "outcome", "origin")


@require_safe
@requires(Permission.READ_AUDIT)
def trail(request: PageRequest) -> HttpResponse:
    """Show what was done and seen, the newest first, and whether the trail was found whole."""
    search, given = _search(request)
    before = request.GET.get("before", "")
    page = searching.page(search=search, before=int(before) if before.isdecimal() and len(before) < 19 else None)
    context = {
        "page": page,
        "given": given,
        "query": urlencode(given),
        "actions": sorted(ACTIONS.items(), key=lambda pair: str(pair[1])),
        "outcomes": OUTCOMES.items(),
        "verified": searching.last_verified(),
    }
    return render(request, "web/trail.html", context)


@require_GET
@requires(Permission.READ_AUDIT)
def export(request: PageRequest, form: str) -> HttpResponseBase:
    """Give the entries that a search means, the oldest first, as CSV or JSON lines. That it was done is one more."""
    if form not in exporting.FORMS:
        raise Http404
    content_type, head, line = exporting.FORMS[form]
    search, given = _search(request)
    schema_name, until = request.tenant.schema_name, searching.last_sequence()
    details = {"form": form, "until": until, "limited_by": sorted(name for name in given if given[name])}
    record(action="audit.export", actor=request.user.actor(), at=clock.now(), subject="trail", details=details)

    @sync_to_async
    def read(after: int) -> list[Entry]:
        with schema_context(schema_name):
            return searching.portion(search=search, after=after, until=until)

    async def lines() -> AsyncIterator[str]:
        yield head
        after = 0
        while found := await read(after):
            yield "".join(map(line, found))
            after = found[-1].sequence

    answer = StreamingHttpResponse(lines(), content_type=content_type)
    answer.headers["Content-Disposition"] = f'attachment; filename="audit-{schema_name}-{until}.{form}"'
    return answer


def _search(request: HttpRequest) -> tuple[searching.Search, dict[str, str]]:
    """Return what is asked for, and as it was given; days are of Amsterdam."""
    given = {name: request.GET.get(name, "").strip()[:LONGEST].replace("\x00", "") for name in FIELDS}
    usual = (timezone.localdate(clock.now()) - timedelta(days=USUAL_DAYS)).isoformat()
    since, until = _day(request.GET.get("since", usual)), _day(request.GET.get("until", ""))
    search = searching.Search(
        since=_midnight(since) if since else None,
        until=_midnight(until + timedelta(days=1)) if until else None,
        **given,
    )
    days = {"since": since.isoformat() if since else "", "until": until.isoformat() if until else ""}
    return search, days | given


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 2000 <= found.year < 3000 else None


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))
