"""Making a tenant: municipality, host, number, schema and all that higher rooms need, in one transaction.

Killed at any moment it leaves nothing behind; called again it finds what is there. What a higher room must do it
registers in settings.PROVISIONING_STEPS by dotted path, as a function that takes `tenant` and runs in the new schema;
what it can say of a repeated call in settings.PROVISIONING_CHECKS: the name of the argument that differs, or None.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.module_loading import import_string
from django_tenants.utils import schema_context
from psycopg.errors import UniqueViolation

from audit.record import Actor, record
from tenants import script
from tenants.declaration import Purpose
from tenants.editions import current_register
from tenants.keys import make_data_key
from tenants.models import DeclaredPurpose, Domain, Municipality, Number, Onboarding
from tenants.onboarding.models import Deed
from tenants.onboarding.moves import move
from tenants.register import checked_schema_name
from tenants.stages import Stage


class UnknownMunicipality(Exception):
    """The CBS code is in no register of ours."""


class DifferentMunicipality(Exception):
    """The schema, code or number is taken with other particulars; nothing was changed. The text names which."""


@dataclass(frozen=True, slots=True)
class NewTenant:
    """What the steps of higher rooms are told.

    onboarding_id: whose application was approved; None: by command. privacy_page: what it begins to tell citizens of
    their data links to; None: it begins without telling them.
    """

    municipality: Municipality
    number: Number
    admin_email: str | None
    actor: Actor
    at: datetime
    onboarding_id: UUID | None = None
    privacy_page: str | None = None


@dataclass(frozen=True, slots=True)
class Provisioned:
    """The tenant, and whether this call made it."""

    municipality: Municipality
    host: str
    created: bool


def create(
    *,
    schema_name: str,
    name: str,
    cbs_code: str,
    waba_id: str,
    phone_number_id: str,
    display_phone_number: str,
    access_token: str | None,
    admin_email: str | None = None,
    privacy_page: str | None = None,
    purposes: Collection[str] | None = None,
    onboarding_id: UUID | None = None,
    actor: Actor,
    at: datetime,
) -> Provisioned:
    """Make one municipality, or find that it is already made. Safe to repeat, also at the same moment.

    privacy_page: an address as tenants/privacy_page.py returns it. purposes: what is declared; all five when None.
    onboarding_id: the approved onboarding that it is made for, which moves to CONNECTED in the same transaction; None:
    an operator declares for it, and it is LIVE at once.
    Raises MoveRefused: the onboarding is not where this can be done. BadSchemaName, UnknownMunicipality,
    IntegrityError: the arguments cannot be. DifferentMunicipality: they are taken.
    """
    checked_schema_name(name=schema_name)
    register = current_register().entries
    if cbs_code not in register:
        raise UnknownMunicipality(f"{cbs_code} is not a municipality in the register of {len(register)}")
    host = f"{schema_name}.{settings.BASE_DOMAIN}"
    stage = Stage.LIVE if onboarding_id is None else Stage.CONNECTED
    municipality = Municipality(schema_name=schema_name, name=name, cbs_code=cbs_code, stage=stage, created_at=at)
    number = Number(
        municipality=municipality,
        waba_id=waba_id,
        phone_number_id=phone_number_id,
        display_phone_number=display_phone_number,
        pseudonym_key_encrypted=Number.new_pseudonym_key(),
        opened_at=at,
    )
    if access_token:
        number.set_access_token(access_token)
    declared = frozenset(Purpose.values if purposes is None else purposes)
    tenant = NewTenant(
        municipality=municipality,
        number=number,
        admin_email=admin_email,
        actor=actor,
        at=at,
        onboarding_id=onboarding_id,
        privacy_page=privacy_page,
    )
    if not Municipality.objects.filter(schema_name=schema_name).exists():
        try:
            _make(tenant=tenant, host=host, declared=declared)
        except IntegrityError as error:
            if not isinstance(error.__cause__, UniqueViolation):
                raise  # an argument is not of the right form
            # Somebody made it meanwhile, or a code or number is another's: the comparison below says which.
            if not Municipality.objects.filter(schema_name=schema_name).exists():
                raise DifferentMunicipality(_who_has_it(tenant=tenant)) from error
        else:
            return Provisioned(municipality=municipality, host=host, created=True)
    existing = Municipality.objects.get(schema_name=schema_name)
    differing = _differences(existing=existing, wanted=tenant, declared=declared, access_token=access_token)
    with schema_context(schema_name):
        differing += filter(None, (import_string(path)(tenant=tenant) for path in settings.PROVISIONING_CHECKS))
    if differing:
        raise DifferentMunicipality(f"{schema_name} exists with another {', '.join(differing)}; nothing was changed")
    return Provisioned(municipality=existing, host=host, created=False)


def _make(*, tenant: NewTenant, host: str, declared: frozenset[str]) -> None:
    municipality, number = tenant.municipality, tenant.number
    tables = script.find()  # in a transaction of its own: where it must be captured, nothing else waits for that
    # Migrating switches the schema on the connection: schema_context puts it back whatever happens.
    with schema_context("public"), transaction.atomic():
        municipality.save(force_insert=True)
        Domain.objects.create(domain=host, tenant=municipality, is_primary=True)
        number.save(force_insert=True)
        make_data_key(municipality=municipality, at=tenant.at)
        DeclaredPurpose.objects.bulk_create(
            DeclaredPurpose(municipality=municipality, purpose=purpose, declared_at=tenant.at)
            for purpose in sorted(declared)
        )
        script.make_tables(schema_name=municipality.schema_name, script=tables)
        record(
            action="municipality.create",
            actor=tenant.actor,
            at=tenant.at,
            subject=f"municipality {municipality.schema_name}",
            details={"cbs_code": municipality.cbs_code, "purposes": sorted(declared), "declared_by": tenant.actor.name},
        )
        _adopt(tenant)
        with schema_context(municipality.schema_name):
            for path in settings.PROVISIONING_STEPS:
                import_string(path)(tenant=tenant)


def _adopt(tenant: NewTenant) -> None:
    """Give the municipality its onboarding: the one it is made for, or one that says that an operator did it."""
    municipality, deed = tenant.municipality, Deed.of(actor=tenant.actor, at=tenant.at)
    if tenant.onboarding_id is not None:
        move(
            onboarding_id=tenant.onboarding_id,
            seen=Stage.APPROVED,
            to=Stage.CONNECTED,
            actor=tenant.actor,
            at=tenant.at,
            municipality=municipality,
        )
        return
    onboarding = Onboarding.objects.create(
        cbs_code=municipality.cbs_code,
        name=municipality.name,
        stage=municipality.stage,
        stage_since=tenant.at,
        by_operator=True,
        municipality=municipality,
        created_at=tenant.at,
    )
    onboarding.moves.create(from_stage="", to_stage=municipality.stage, **deed)


def _who_has_it(*, tenant: NewTenant) -> str:
    other = Municipality.objects.filter(cbs_code=tenant.municipality.cbs_code).first()
    if other is not None:
        return f"{other.cbs_code} is already served as {other.schema_name}; nothing was changed"
    if Onboarding.objects.filter(cbs_code=tenant.municipality.cbs_code).exists():
        return f"{tenant.municipality.cbs_code} is being onboarded on the console; nothing was changed"
    return "the number or host is already another municipality's; nothing was changed"


def _differences(
    *, existing: Municipality, wanted: NewTenant, declared: frozenset[str], access_token: str | None
) -> list[str]:
    """Return the names of the arguments that differ from what there is."""
    number = Number.objects.filter(
        municipality=existing, phone_number_id=wanted.number.phone_number_id, closed_at=None
    ).first()
    same = {
        "name": existing.name == wanted.municipality.name,
        "CBS code": existing.cbs_code == wanted.municipality.cbs_code,
        "phone number id": number is not None,
        "WABA id": number is None or number.waba_id == wanted.number.waba_id,
        "display phone number": number is None or number.display_phone_number == wanted.number.display_phone_number,
        "access token": number is None or number.access_token() == (access_token or None),
        "purposes": {row.purpose for row in existing.declared_purposes.all()} == declared,
    }
    return [name for name, is_same in same.items() if not is_same]
