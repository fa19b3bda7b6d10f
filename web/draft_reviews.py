"""The BSP's page of flagged drafts: which wait, what is flagged, release or refuse with a reason."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.permissions import Permission
from messaging.core.models import DraftReview
from messaging.templates import judging
from tenants import clock
from tenants.models import Municipality
from web.access import PageRequest, requires

DECISIONS = {"release": True, "refuse": False}


@require_safe
@requires(Permission.JUDGE_DRAFTS)
def drafts(request: PageRequest) -> HttpResponse:
    """Show the drafts that wait, longest first, and the latest decisions."""
    waiting, decided = list(judging.waiting()), list(judging.decided())
    names = dict(Municipality.objects.values_list("id", "name"))
    context = {
        "waiting": [(review, names.get(review.municipality_id, "")) for review in waiting],
        "decided": [(review, names.get(review.municipality_id, "")) for review in decided],
        "now": clock.now(),
    }
    return render(request, "web/draft_reviews.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.JUDGE_DRAFTS)
def draft(request: PageRequest, review_id: UUID) -> HttpResponse:
    """Show one draft with what is flagged in it, and take the decision."""
    refused, reason, actor = "", request.POST.get("reason", ""), request.user.actor()
    release = DECISIONS.get(request.POST.get("decision", ""))
    if request.method == "POST" and release is None:
        refused = _("Choose whether it is released or refused.")
    elif request.method == "POST" and release is not None:
        try:
            judging.decide(review_id=review_id, release=release, reason=reason, actor=actor, at=clock.now())
        except DraftReview.DoesNotExist:
            raise Http404 from None
        except judging.ReasonMissing:
            refused = _("Say why: the municipality reads it.")
        except judging.ReasonTooLong:
            refused = _("The reason is too long: at most 1,000 characters.")
        except judging.AlreadyDecided:
            messages.warning(request, _("Somebody else decided meanwhile. Nothing was changed."))
            return redirect("draft-review", review_id)
        else:
            messages.success(request, _("It is released.") if release else _("It is refused."))
            return redirect("drafts")
    return _show(request, review_id, refused, reason)


def _show(request: PageRequest, review_id: UUID, refused: str, reason: str) -> HttpResponse:
    review = DraftReview.objects.filter(id=review_id).first()
    if review is None:
        raise Http404
    municipality = Municipality.objects.filter(id=review.municipality_id).first()
    context: dict[str, Any] = {
        "review": review,
        "municipality": municipality,
        "texts": [each for each in judging.texts_of(name="", components=review.components) if each],
        "refused": refused,
        "reason": reason,
        "now": clock.now(),
    }
    return render(request, "web/draft_review.html", context, status=422 if refused else 200)
