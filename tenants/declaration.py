"""What a municipality may use WhatsApp for: the purposes that it declares, and what is always forbidden.

Source: news of January 2021 on the agreement of VNG Realisatie and Facebook (read 2026-11-22).
"""

from django.db import models


class Purpose(models.TextChoices):
    """A declared use (doel)."""

    CRISIS = "CRISIS", "Crisisbeheersing"
    PERMITS = "PERMITS", "Vergunningen"
    APPOINTMENTS = "APPOINTMENTS", "Afspraken"
    SERVICES = "SERVICES", "Gemeentelijke dienstverlening"
    TOURISM = "TOURISM", "Toerisme"


class Prohibition(models.TextChoices):
    """What no municipality may use WhatsApp for."""

    PROMOTION = "PROMOTION", "Promotie"
    POLITICAL_CAMPAIGN = "POLITICAL_CAMPAIGN", "Politieke campagne"
    VOTER_DATA = "VOTER_DATA", "Gegevens van kiezers verzamelen"
    ELECTION_INTERFERENCE = "ELECTION_INTERFERENCE", "Verkiezingen beïnvloeden"
