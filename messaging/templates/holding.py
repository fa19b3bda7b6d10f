"""Messages that wait in the outbox when their template may no longer be sent: they fail here, before Meta sees them.

A MARKETING one would go out, and be charged as what municipalities may not send.
"""

from collections.abc import Collection

from django.db.models import QuerySet

from messaging.announcing import announce
from messaging.models import Message, OutboxItem, Template
from messaging.templates.sending import refusal_of_state


def fail_queued(*, template: Template) -> int:
    """Fail what is queued of a template that cannot be sent as it is; return how many.

    What a lane has in its hands is left alone: Meta's answer settles it, and the lane puts none back that may not go
    again (lanes/putting_back.py). The message first, its outbox row after, as the lanes do.
    """
    reason = refusal_of_state(template=template)
    return 0 if reason is None else _fail(Message.objects.filter(template_version__template=template), reason)


def fail_undeclared(*, purposes: Collection[str]) -> int:
    """Fail what is queued of templates whose purposes the municipality no longer declares; return how many."""
    if not purposes:
        return 0
    return _fail(
        Message.objects.filter(template_version__template__purpose__in=purposes), "template_purpose_undeclared"
    )


def _fail(found: QuerySet[Message], reason: str) -> int:
    # A lane that is just putting one back is waited for; one that does so later sees what changed.
    locked = found.select_for_update(of=("self",), no_key=True)
    under_way = locked.filter(state__in=(Message.State.QUEUED, Message.State.SENDING))
    ids = list(under_way.order_by("id").values_list("id", flat=True))
    messages = dict(Message.objects.filter(id__in=ids, state=Message.State.QUEUED).values_list("id", "thread_id"))
    if messages:
        Message.objects.filter(id__in=messages).update(state=Message.State.FAILED, failed_reason=reason)
        OutboxItem.objects.filter(message__in=messages).delete()
        announce(threads=set(messages.values()))
    return len(messages)
