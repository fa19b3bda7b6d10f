"""The page on which agents look for what was said, and for who said it.

What they look for may be a citizen's name or number. So it is sent in the body of a form, never in an address, and kept
in the session, which lies in the municipality's own schema and ends with the sign-in: who opens a hit and comes back
finds the same results. The trail knows that somebody looked, and how much there was; never for what.
"""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.permissions import Permission
from messaging import lists, opening, searching
from tenants import clock
from web.access import PageRequest, requires

KEPT_AS = "search"


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.READ_THREADS)
def search(request: PageRequest) -> HttpResponse:
    """Keep what is looked for, then show what was found; a page further on is asked for by its key."""
    if request.method == "POST":
        request.session[KEPT_AS] = request.POST.get("words", "")[: searching.MOST_CHARACTERS]
        return redirect("search")
    at = clock.now()
    words = str(request.session.get(KEPT_AS, ""))
    found = searching.search(words=words, after=lists.Key.parse(request.GET.get("after", "")), at=at)
    if found.words:
        opening.record_search(found=found.count, actor=request.user.actor(), at=at)
    return render(request, "web/search.html", {"found": found, "most": searching.MOST_CHARACTERS})
