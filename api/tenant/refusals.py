"""Why a message was not queued, as problems: each with a stable code and the way out."""

from collections.abc import Iterator
from contextlib import contextmanager

from rest_framework import serializers

from api.fields import Moment
from api.problems import Problem
from messaging.attaching import CannotAttach
from messaging.consent import InvalidConsent, NotConsented
from messaging.reaching import NotFound, NumberNeeded
from messaging.reacting import CannotReact
from messaging.replying import ThreadClosed, WindowClosed
from messaging.templates.filling import TemplateUnusable
from messaging.uncertain import ChosenOtherwise, NotUncertain
from whatsapp.limits import LimitExceeded
from whatsapp.outgoing import InvalidContent
from whatsapp.texts import text_of

NOT_CONSENTED = {
    "opted_out": "The citizen asked for no messages any more. Only answers inside the service window may be sent.",
    "opt_in_needed": "The citizen never wrote here: say in optIn how they agreed, or record it with POST /consents.",
}
CANNOT_ATTACH = {
    "medium_not_stored": "This medium is not stored: it was not fetched yet, or is gone.",
    "medium_unfit": "WhatsApp would not take this medium as this kind: its type, its size, or what it really is.",
    "medium_refused": "WhatsApp refused this medium.",
    "number_cannot_upload": "The number has no access at WhatsApp now.",
    "meta_unreachable": "WhatsApp did not answer; try again.",
}
CANNOT_REACT = {
    "reaction_target_ours": "WhatsApp takes reactions to messages of the citizen only.",
    "reaction_target_kind": "WhatsApp takes no reaction to a message of this kind.",
    "reaction_target_too_old": "WhatsApp takes no reaction to a message of more than 30 days ago.",
    "reaction_target_withdrawn": "The citizen withdrew this message.",
    "reaction_none_to_remove": "There is no reaction of yours to take away.",
}
INVALID_CONSENT = {
    "consent_how_missing": "Say how the citizen agreed.",
    "consent_in_future": "What a citizen said, they said before now: saidAt is a moment to come.",
}


@contextmanager
def as_problems() -> Iterator[None]:
    """Turn what a domain call refuses into what the API answers."""
    try:
        yield
    except NotFound as error:
        detail = f"There is no such {error.what} here."
        raise Problem(status=404, code=f"{error.what}_not_found", detail=detail) from error
    except NumberNeeded as error:
        detail = "There are several numbers: name one in phoneNumberId."
        raise Problem(status=409, code="number_needed", detail=detail) from error
    except WindowClosed as error:
        raise Problem(
            status=409,
            code="window_closed",
            detail="The service window is closed, so a text is not allowed: send one of the templates instead.",
            closedAt=Moment().to_representation(error.closed_at),
            templates=list(error.templates),
        ) from error
    except ThreadClosed as error:
        detail = "The thread is closed: send to its recipient instead, which opens a new one."
        raise Problem(status=409, code="thread_closed", detail=detail) from error
    except NotConsented as error:
        raise Problem(status=409, code=error.code, detail=NOT_CONSENTED[error.code]) from error
    except InvalidConsent as error:
        raise Problem(status=409, code=error.code, detail=INVALID_CONSENT[error.code]) from error
    except CannotAttach as error:
        status = 503 if error.code == "meta_unreachable" else 409
        raise Problem(status=status, code=error.code, detail=CANNOT_ATTACH[error.code]) from error
    except CannotReact as error:
        raise Problem(status=409, code=error.code, detail=CANNOT_REACT[error.code]) from error
    except TemplateUnusable as error:
        raise _unusable(error) from error
    except NotUncertain as error:
        detail = f"What became of this message is known: it is {error.state}. Nothing was chosen."
        raise Problem(status=409, code="not_uncertain", detail=detail, state=error.state) from error
    except ChosenOtherwise as error:
        detail = f"It was decided already: {error.choice.choice}. Nothing was changed."
        raise Problem(status=409, code="chosen_otherwise", detail=detail, choice=error.choice.choice) from error
    except (LimitExceeded, InvalidContent) as error:
        raise _invalid(_field_of(error.code), text_of(error, language="en"), error.code) from error


UNUSABLE = {
    "template_header_differs": "Give the header that the template has: its variable, medium or place, and no other.",
    "template_buttons_differ": "Give what the template's buttons need, by their place, and nothing for other places.",
    "template_parameters_differ": "Give exactly the variables that the template has.",
    "template_values_flagged": "What is filled in has words of promotion, politics or elections: write it otherwise.",
    "template_of_another_account": "The template belongs to another number's account.",
    "template_rejected": "Meta rejected this template.",
    "template_paused": "Meta paused this template for its quality; it may be sent again when its status is APPROVED.",
    "template_disabled": "Meta disabled this template for good.",
    "template_archived": "Meta archived this template, because it was not used for long.",
    "template_deleted": "This template was deleted at Meta.",
    "template_marketing": "Meta regards this template as MARKETING, which a municipality may not send.",
    "template_purpose_missing": "The template belongs to no declared purpose: an administrator assigns one.",
    "template_purpose_undeclared": "The template belongs to a purpose that the municipality has not declared.",
    "template_changed": "Meta has another text of this template now: send the template anew.",
    "election_period": "Until the election the municipality starts no conversation but in a crisis; it may answer.",
    "template_stale": "What is known of this template is out of date: it is sent again after the next sync.",
    "template_unreadable": "What Meta has of this template cannot be read.",
}
NOT_APPROVED = "Meta has not approved this template: choose one whose status is APPROVED."


def _unusable(error: TemplateUnusable) -> Exception:
    return Problem(status=409, code=error.code, detail=UNUSABLE.get(error.code, NOT_APPROVED))


def _field_of(code: str) -> str:
    first = code.partition("_")[0]
    return first if first in {"template", "recipient", "text"} else "content"


def _invalid(field: str, message: str, code: str) -> serializers.ValidationError:
    return serializers.ValidationError({field: [serializers.ErrorDetail(message, code=code)]})
