"""A municipality's templates: those that a tenant starts with, their submission, and what Meta made of them."""

import asyncio
from dataclasses import dataclass

import aiohttp
from django.conf import settings

from messaging.models import Template
from tenants.declaration import Purpose
from tenants.models import Number
from tenants.provisioning import NewTenant
from whatsapp.client import CloudAPI
from whatsapp.outcomes import CreatedTemplate, TemplateRecord
from whatsapp.transport import open_session


@dataclass(frozen=True, slots=True)
class DefaultTemplate:
    """A template of ours that each new tenant gets, in its own words later. UTILITY only: nothing may promote."""

    name: str
    language: str
    purpose: Purpose
    body: str
    parameters: tuple[tuple[str, str], ...]  # (name, example)


DEFAULTS = (
    DefaultTemplate(
        "vervolg_op_uw_vraag",
        "nl",
        Purpose.SERVICES,
        "Goedendag {{naam}}, u stelde ons een vraag over {{onderwerp}}. Wij hebben een antwoord voor u. "
        "Antwoord op dit bericht, dan sturen wij het u toe.",
        (("naam", "mevrouw De Vries"), ("onderwerp", "uw vergunning")),
    ),
    DefaultTemplate(
        "follow_up_on_your_question",
        "en",
        Purpose.SERVICES,
        "Good day {{name}}, you asked us a question about {{subject}}. We have an answer for you. "
        "Reply to this message and we will send it to you.",
        (("name", "Ms De Vries"), ("subject", "your permit")),
    ),
    DefaultTemplate(
        "afspraak_herinnering",
        "nl",
        Purpose.APPOINTMENTS,
        "Goedendag {{naam}}, wij herinneren u aan uw afspraak op {{datum}} op het gemeentehuis. Tot dan.",
        (("naam", "mevrouw De Vries"), ("datum", "maandag 12 oktober om 10.00 uur")),
    ),
)


def install_defaults(*, tenant: NewTenant) -> None:
    """Give a new tenant the default templates of its declared purposes, as drafts; runs inside its schema."""
    declared = set(tenant.municipality.declared_purposes.values_list("purpose", flat=True))
    Template.objects.bulk_create(
        Template(
            waba_id=tenant.number.waba_id,
            name=template.name,
            language=template.language,
            category="UTILITY",
            purpose=template.purpose,
            body=template.body,
            parameters=[{"name": name, "example": example} for name, example in template.parameters],
        )
        for template in DEFAULTS
        if template.purpose in declared
    )


def submit_drafts(*, number: Number) -> list[Template]:
    """Hand the drafts of a number's account in for Meta's review, then take over what Meta says of every template.

    Runs inside the tenant's schema; safe to repeat: what Meta has already is found, not made again.
    Raises MetaRefused, MetaUnreachable: what was handed in before that stays so. ValueError: the number has no token.
    """
    token = number.access_token()
    if token is None:
        raise ValueError("the number has no access token")
    listed = {(record.name, record.language): record for record in asyncio.run(_list(number.waba_id, token))}
    for template in Template.objects.filter(waba_id=number.waba_id).order_by("name", "language"):
        record = listed.get((template.name, template.language))
        if record is not None:
            template.meta_id, template.status, template.category = record.template_id, record.status, record.category
        elif template.status == Template.Status.DRAFT:
            made = asyncio.run(_create(template, token))
            template.meta_id, template.status = made.template_id, made.status
            template.category = made.category or template.category
        template.save(update_fields=["meta_id", "status", "category"])
    return list(Template.objects.filter(waba_id=number.waba_id).order_by("name", "language"))


async def _list(waba_id: str, token: str) -> list[TemplateRecord]:
    async with open_session(connections=1) as session:
        return [record async for record in _api(session).list_templates(waba_id=waba_id, access_token=token)]


async def _create(template: Template, token: str) -> CreatedTemplate:
    examples = [{"param_name": parameter["name"], "example": parameter["example"]} for parameter in template.parameters]
    body = {"type": "BODY", "text": template.body, "example": {"body_text_named_params": examples}}
    async with open_session(connections=1) as session:
        return await _api(session).create_template(
            waba_id=template.waba_id,
            access_token=token,
            name=template.name,
            language=template.language,
            category=template.category,
            components=[body],
            parameter_format="NAMED",
        )


def _api(session: aiohttp.ClientSession) -> CloudAPI:
    return CloudAPI(session=session, base_url=settings.META_GRAPH_URL, version=settings.META_GRAPH_VERSION)
