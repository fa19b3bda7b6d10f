"""Why a message was not queued, as problems: each with a stable code and the way out."""

from collections.abc import Iterator
from contextlib import contextmanager

from rest_framework import serializers

from api.fields import Moment
from api.problems import Problem
from messaging.consent import InvalidConsent, NotConsented
from messaging.reaching import NotFound, NumberNeeded
from messaging.replying import TemplateUnusable, ThreadClosed, WindowClosed
from whatsapp.limits import LimitExceeded
from whatsapp.outgoing import InvalidContent
from whatsapp.texts import text_of

NOT_CONSENTED = {
    "opted_out": "The citizen asked for no messages any more. Only answers inside the service window may be sent.",
    "opt_in_needed": "The citizen never wrote here: say in optIn how they agreed, or record it with POST /consents.",
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
    except TemplateUnusable as error:
        raise _unusable(error) from error
    except (LimitExceeded, InvalidContent) as error:
        raise _invalid(_field_of(error.code), text_of(error, language="en"), error.code) from error


def _unusable(error: TemplateUnusable) -> Exception:
    if error.code == "template_parameters_differ":
        detail = "Give exactly the variables that the template has."
        return Problem(status=409, code=error.code, detail=detail)
    detail = "Meta has not approved this template, or paused it: choose one whose status is APPROVED."
    return Problem(status=409, code=error.code, detail=detail)


def _field_of(code: str) -> str:
    return "template" if code.startswith("template") else "recipient" if code.startswith("recipient") else "text"


def _invalid(field: str, message: str, code: str) -> serializers.ValidationError:
    return serializers.ValidationError({field: [serializers.ErrorDetail(message, code=code)]})
