"""What the pages say of an invoice on its way to Stripe: how far it is, what Stripe says of it, what is wrong."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# How far an invoice is on its way to Stripe, and what Stripe says of it.
COLLECTION_STEPS: dict[str, Promise] = {
    "QUEUED": _("Not yet"),
    "DRAFTED": _("Under way"),
    "FILLED": _("Under way"),
    "COMPARED": _("Under way, its totals were compared"),
    "OPEN": _("Finalised by Stripe"),
    "DONE": _("Done, its totals are ours"),
    "STOPPED": _("Stopped"),
}
STRIPE_STATUSES: dict[str, Promise] = {
    "draft": _("Draft"),
    "open": _("Open"),
    "paid": _("Paid"),
    "void": _("Voided"),
    "uncollectible": _("Given up"),
}
# By the first word of a trouble; the rest is Stripe's own.
COLLECTION_TROUBLES: dict[str, Promise] = {
    "NO_ANSWER": _("Stripe did not answer. It is asked again by itself."),
    "STRIPE_FAILED": _("Stripe had an error. It is asked again by itself."),
    "REFUSED": _("Stripe refuses it. Our invoice stands; put right what Stripe names, or collect it by hand."),
    "DIFFERS": _(
        "What Stripe has is not what we issued, so nothing is collected. Our invoice stands; put it right at Stripe."
    ),
    "VOIDED": _("It was voided at Stripe. Our invoice stands; collect it by hand, or credit it."),
    "UNCOLLECTIBLE": _("It was given up at Stripe. Our invoice stands; collect it by hand."),
    "PAYMENT_FAILED": _("A payment failed at Stripe."),
    "FINALIZATION_FAILED": _("Stripe could not finalise it."),
    "NOT_MAILED": _("It could not be mailed. Look at the address, and mail it again or send it by hand."),
}
