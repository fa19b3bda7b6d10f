"""Mails a municipality's admins that a change of its declaration was approved or rejected: they asked, and must know.

Posted within the transaction that decides (tenants/onboarding/redeclaring.py, by settings.DECLARATION_TOLD), so that
none is mailed about what did not happen, nor forgotten about what did.
"""

from django.db import connection
from django.utils.translation import gettext

from accounts import posting
from accounts.models import Mail, User
from tenants.models import DeclarationChange, Municipality
from tenants.onboarding.redeclaring import last_decided


def post() -> None:
    """Have every admin in the schema that the connection is in mailed what was decided last."""
    posting.post_to_admins(what=Mail.What.DECLARATION_DECIDED)


def texts(*, user: User) -> tuple[str, list[str]] | None:
    """Return subject and paragraphs, in the language that is in use; None: nothing was decided, or they are no admin.

    What was asked for stands on the page, not here; the reason is what somebody of the BSP wrote for the municipality.
    """
    schema_name: str = connection.schema_name  # type: ignore[attr-defined]
    change = last_decided(municipality=Municipality.objects.get(schema_name=schema_name))
    if change is None or not posting.admins().filter(id=user.id).exists():
        return None
    if change.state == DeclarationChange.State.REJECTED:
        said = gettext("Your provider rejected the change of your declaration. What you declared before still holds.")
        why = gettext("Why: {reason}").format(reason=change.reason)
        how = gettext("You can ask anew, with other purposes or other words:")
        return gettext("The change of your declaration was rejected"), [said, why, how]
    said = gettext("Your provider approved the change of your declaration. It holds from now on.")
    gone = gettext("Templates of a purpose that you declare no longer are not sent any more.")
    more = gettext("For a purpose that is new, templates wait as drafts for you to look at and hand in.")
    parts = [said, *([gone] if change.withdrawn else []), *([more] if change.added else [])]
    return gettext("The change of your declaration was approved"), [*parts, gettext("What you declare now:")]
