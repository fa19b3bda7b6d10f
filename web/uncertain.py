"""The page on which somebody decides about a message of which nobody knows whether it was sent."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.permissions import Permission
from messaging import uncertain
from messaging.consent import NotConsented
from messaging.models import Message, Thread, UncertainChoice
from messaging.replying import ThreadClosed, WindowClosed
from messaging.templates.filling import TemplateUnusable
from tenants import clock
from web.access import PageRequest, requires
from web.words import REFUSALS, REFUSED
from whatsapp.limits import LimitExceeded
from whatsapp.outgoing import InvalidContent
from whatsapp.texts import text_of

Choice = UncertainChoice.Choice
DONE: dict[str, Promise] = {
    Choice.SEND_AGAIN: gettext_lazy("The message is sent again."),
    Choice.LEAVE: gettext_lazy("The message is left as it is."),
}


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.ANSWER_THREADS)
def choose(request: PageRequest, thread_id: UUID, message_id: UUID) -> HttpResponse:
    """Show one uncertain message with what may be done about it, and do what is chosen."""
    try:
        found = uncertain.find(thread_id=thread_id, message_id=message_id, at=clock.now())
    except (Thread.DoesNotExist, Message.DoesNotExist):
        raise Http404 from None
    refused: Promise | str | None = None
    if request.method == "POST":
        choice = request.POST.get("choice", "")
        if choice not in Choice.values:
            return HttpResponse(status=400)  # no form of ours sends this
        refused = _refusal(request, message_id, Choice(choice))
        if refused is None:
            return redirect(reverse("thread", args=[thread_id]) + "#last")
    elif not found.is_open_to_choice:
        return redirect(reverse("thread", args=[thread_id]) + f"#message-{message_id}")
    return render(request, "web/uncertain.html", {"found": found, "refused": refused}, status=422 if refused else 200)


def _refusal(request: PageRequest, message_id: UUID, choice: Choice) -> Promise | str | None:
    """Decide; return why it may not be sent, or None when it was done or there was nothing left to decide."""
    act = uncertain.send_again if choice == Choice.SEND_AGAIN else uncertain.leave
    try:
        act(message_id=message_id, actor=request.user.actor(), at=clock.now())
    except WindowClosed:
        return REFUSALS["window_closed"]
    except ThreadClosed:
        return REFUSALS["thread_closed"]
    except (NotConsented, TemplateUnusable) as error:
        return REFUSALS.get(error.code, REFUSED)
    except (LimitExceeded, InvalidContent) as error:
        return text_of(error, language=get_language() or "nl")
    except uncertain.NotUncertain:
        messages.info(request, _("WhatsApp has reported meanwhile what became of the message. Nothing was sent again."))
    except uncertain.ChosenOtherwise as error:
        text = _("%(name)s has decided already. Nothing was changed.") % {"name": error.choice.chosen_by_name}
        messages.info(request, text)
    else:
        messages.success(request, str(DONE[choice]))
    return None
