"""The stages of a municipality on its road to live, and the moves between them that there are.

APPLIED -> DECLARED -> APPROVED -> CONNECTED -> GOVERNMENT_APPROVAL_PENDING -> REGISTERED -> LIVE
   ^          |-> REJECTED                                                        LIVE <-> SUSPENDED
   \\----------+------|                              all from CONNECTED on -> OFFBOARDED

What each move wants, and who made it, is in tenants/onboarding/moves.py.
"""

from django.db import models


class Stage(models.TextChoices):
    """Where a municipality stands."""

    APPLIED = "APPLIED", "Aangevraagd"
    DECLARED = "DECLARED", "Verklaard"
    APPROVED = "APPROVED", "Goedgekeurd"
    REJECTED = "REJECTED", "Afgewezen"
    CONNECTED = "CONNECTED", "Verbonden"
    GOVERNMENT_APPROVAL_PENDING = "GOVERNMENT_APPROVAL_PENDING", "Wacht op goedkeuring door Meta"
    REGISTERED = "REGISTERED", "Geregistreerd"
    LIVE = "LIVE", "Live"
    SUSPENDED = "SUSPENDED", "Opgeschort"
    OFFBOARDED = "OFFBOARDED", "Beëindigd"


MOVES: dict[Stage, tuple[Stage, ...]] = {
    Stage.APPLIED: (Stage.DECLARED,),
    Stage.DECLARED: (Stage.APPROVED, Stage.REJECTED, Stage.APPLIED),
    Stage.REJECTED: (Stage.APPLIED,),
    Stage.APPROVED: (Stage.CONNECTED, Stage.APPLIED),
    Stage.CONNECTED: (Stage.GOVERNMENT_APPROVAL_PENDING, Stage.OFFBOARDED),
    Stage.GOVERNMENT_APPROVAL_PENDING: (Stage.REGISTERED, Stage.OFFBOARDED),
    Stage.REGISTERED: (Stage.LIVE, Stage.OFFBOARDED),
    Stage.LIVE: (Stage.SUSPENDED, Stage.OFFBOARDED),
    Stage.SUSPENDED: (Stage.LIVE, Stage.OFFBOARDED),
    Stage.OFFBOARDED: (),
}
# Before these there is an application and no tenant yet.
WITHOUT_TENANT = (Stage.APPLIED, Stage.DECLARED, Stage.APPROVED, Stage.REJECTED)
