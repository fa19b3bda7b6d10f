"""What a municipality may use WhatsApp for: the purposes that it declares, and what is always forbidden.

Both are data with a day from which they hold: an application is filled in and signed for the terms of its day.
Source: news of January 2021 on the agreement of VNG Realisatie and Facebook (read 2026-11-22).
"""

from dataclasses import dataclass
from datetime import date

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


@dataclass(frozen=True, slots=True)
class Terms:
    """What may be declared, and what must be accepted, from a day on."""

    version: str
    effective_date: date
    purposes: tuple[Purpose, ...]
    prohibitions: tuple[Prohibition, ...]
    source: str


# Oldest first. New terms are a new entry: what was signed before keeps the version that it was signed for.
TERMS: tuple[Terms, ...] = (
    Terms(
        version="2021-01",
        effective_date=date(2021, 1, 15),
        purposes=tuple(Purpose),
        prohibitions=tuple(Prohibition),
        source="VNG Realisatie, Facebook: tweakers.net/nieuws/176380 (2021-01)",
    ),
)


def terms_of(*, day: date) -> Terms:
    """Return the terms that hold on a day; the first ones for a day before all of them."""
    return [TERMS[0], *(each for each in TERMS if each.effective_date <= day)][-1]
