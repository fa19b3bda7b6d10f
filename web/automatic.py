"""The admin's page of the automatic answer: whether citizens are answered while the municipality is closed, and how."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.permissions import Permission
from messaging.models import ClosedAnswer
from messaging.office import closed, hours
from messaging.office.notice import form_of_address
from tenants import clock
from web.access import PageRequest, requires

TOO_LONG = gettext_lazy("Use at most 600 characters.")


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.MANAGE_OFFICE)
def closed_answer(request: PageRequest) -> HttpResponse:
    """Show the answer as a citizen would read it now, and save it."""
    kept, at, refused = ClosedAnswer.objects.first(), clock.now(), None
    is_on, own_text = kept is not None, kept.own_text if kept else ""
    if request.method == "POST":
        is_on, own_text = request.POST.get("on") == "yes", request.POST.get("own_text", "")
        try:
            closed.save_answer(is_on=is_on, own_text=own_text, actor=request.user.actor(), at=at)
        except closed.BadAnswer:
            refused = TOO_LONG
        else:
            messages.success(request, _("It was saved."))
            return redirect("closed-answer")
    reads = closed.wording(
        own_text=own_text, form=form_of_address(), name=request.tenant.name, opens_at=hours.opens_next(at=at)
    )
    context = {"is_on": is_on, "own_text": own_text, "reads": reads, "refused": refused, "opens": closed.OPENS}
    return render(request, "web/closed_answer.html", context, status=422 if refused else 200)
