"""The stages of a municipality on its road to live.

APPLIED -> DECLARED -> APPROVED -> CONNECTED -> GOVERNMENT_APPROVAL_PENDING -> REGISTERED -> LIVE
               \\-> REJECTED                                                        LIVE <-> SUSPENDED
                                                                   LIVE | SUSPENDED -> OFFBOARDED
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
