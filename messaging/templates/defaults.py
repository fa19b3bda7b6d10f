"""The templates that each new tenant starts with, as drafts: utility only, of its declared purposes."""

from dataclasses import dataclass

from messaging.models import Template, TemplateVersion
from messaging.templates.taking import put_components, record_version
from tenants.declaration import Purpose
from tenants.provisioning import NewTenant


@dataclass(frozen=True, slots=True)
class DefaultTemplate:
    """A template of ours that each new tenant gets, in its own words later. UTILITY only: nothing may promote."""

    name: str
    language: str
    purpose: Purpose
    body: str
    parameters: tuple[tuple[str, str], ...]  # (name, example)

    def components(self) -> list[dict[str, object]]:
        """Return it as Meta writes it."""
        examples = [{"param_name": name, "example": example} for name, example in self.parameters]
        return [{"type": "BODY", "text": self.body, "example": {"body_text_named_params": examples}}]


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
    for each in DEFAULTS:
        if each.purpose not in declared:
            continue
        template = Template(
            waba_id=tenant.number.waba_id,
            name=each.name,
            language=each.language,
            category="UTILITY",
            purpose=each.purpose,
            listed_components=each.components(),
        )
        put_components(template=template, found=each.components(), parameter_format="NAMED")
        template.save(force_insert=True)
        changed = ["status", "category", "components"]
        record_version(template=template, at=tenant.at, source=TemplateVersion.Source.OURS, changed=changed)
