"""One municipality on its road to live: what it answers, and how it gets as far as a test wants it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from audit.record import Actor
from tenants.models import Onboarding
from tenants.onboarding.application import load, save
from tenants.onboarding.models import Part
from tenants.onboarding.moves import move
from tenants.onboarding.signing import take_signed_copy
from tenants.stages import Stage

CBS_CODE, NUMBER = "GM0193", "+31384989111"
PDF = b"%PDF-1.7\n1 0 obj\n<< >>\nendobj\ntrailer\n<< >>\n%%EOF\n"
ANSWERS: Mapping[Part, Mapping[str, str]] = {
    Part.ORGANISATION: {
        "legal_entity": "Gemeente Zwolle",
        "kvk_number": "12345678",
        "oin": "00000001823288444000",
        "vat_number": "NL004495445B01",
        "visiting_address": "Grote Kerkplein 15",
        "visiting_postcode": "8011 PK",
        "visiting_city": "Zwolle",
        "order_reference": "INK-2026-17",
    },
    Part.CONTACTS: {
        "contact_name": "Sanne Vos",
        "contact_email": "sanne@zwolle.example",
        "contact_phone": "038 498 9111",
        "invoice_email": "facturen@zwolle.example",
        "admin_email": "beheer@zwolle.example",
        "whatsapp_number": "038 498 9111",
        "number_now": "NEW",
    },
    Part.PRIVACY: {
        "officer_name": "Femke de Groot",
        "officer_email": "fg@zwolle.example",
        "privacy_page": "https://www.zwolle.example/privacy",
        "agreement": "Standaard verwerkersovereenkomst gemeenten",
        "agreement_date": "2026-02-01",
    },
    Part.PURPOSES: {
        "use_PERMITS": "yes",
        "describe_PERMITS": "Vragen over vergunningen beantwoorden",
        "use_SERVICES": "yes",
        "describe_SERVICES": "Meldingen over de openbare ruimte",
    },
    Part.PROHIBITIONS: {
        "accept_PROMOTION": "yes",
        "accept_POLITICAL_CAMPAIGN": "yes",
        "accept_VOTER_DATA": "yes",
        "accept_ELECTION_INTERFERENCE": "yes",
    },
    Part.SIGNING: {
        "signatory_name": "P. Jansen",
        "signatory_function": "Gemeentesecretaris",
        "signed_date": "2026-03-01",
    },
}


def fill_in(
    onboarding: Onboarding, *, actor: Actor, at: datetime, alter: Mapping[Part, Mapping[str, str]] | None = None
) -> None:
    """Fill in every part, with some answers altered."""
    application = load(onboarding_id=onboarding.id)
    for part, answers in ANSWERS.items():
        given: dict[str, Any] = {**answers, **(alter or {}).get(part, {})}
        save(onboarding_id=onboarding.id, part=part, seen=application.version(part), given=given, actor=actor, at=at)


def declare(onboarding: Onboarding, *, actor: Actor, at: datetime) -> None:
    """Fill everything in, have it signed, and hand it in."""
    fill_in(onboarding, actor=actor, at=at)
    take_signed_copy(onboarding_id=onboarding.id, content=PDF, actor=actor, at=at)
    move(onboarding_id=onboarding.id, seen="APPLIED", to=Stage.DECLARED, actor=actor, at=at)
