"""The templates that each new tenant starts with, as drafts: utility only, of its declared purposes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

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
    DefaultTemplate(
        "appointment_reminder",
        "en",
        Purpose.APPOINTMENTS,
        "Good day {{name}}, we remind you of your appointment on {{date}} at the town hall. See you then.",
        (("name", "Ms De Vries"), ("date", "Monday 12 October at 10:00")),
    ),
    DefaultTemplate(
        "voortgang_van_uw_aanvraag",
        "nl",
        Purpose.PERMITS,
        "Goedendag {{naam}}, er is nieuws over uw aanvraag {{aanvraag}}: {{stand}}. "
        "Antwoord op dit bericht als u vragen heeft.",
        (("naam", "mevrouw De Vries"), ("aanvraag", "dakkapel Dorpsstraat 12"), ("stand", "wij hebben besloten")),
    ),
    DefaultTemplate(
        "progress_of_your_application",
        "en",
        Purpose.PERMITS,
        "Good day {{name}}, there is news of your application {{application}}: {{progress}}. "
        "Reply to this message if you have questions.",
        (("name", "Ms De Vries"), ("application", "dormer at Dorpsstraat 12"), ("progress", "we have decided")),
    ),
    DefaultTemplate(
        "waarschuwing_in_uw_buurt",
        "nl",
        Purpose.CRISIS,
        "Waarschuwing van de gemeente: {{wat}} bij {{plaats}}. Wat u nu moet doen: {{advies}}. "
        "Bel 112 bij levensgevaar. Wij houden u op de hoogte.",
        (("wat", "grote brand met veel rook"), ("plaats", "het Stationsplein"), ("advies", "sluit ramen en deuren")),
    ),
    DefaultTemplate(
        "warning_in_your_neighbourhood",
        "en",
        Purpose.CRISIS,
        "Warning from the municipality: {{what}} near {{place}}. What to do now: {{advice}}. "
        "Call 112 if a life is in danger. We keep you informed.",
        (
            ("what", "large fire, heavy smoke"),
            ("place", "the Stationsplein"),
            ("advice", "close all windows"),
        ),
    ),
    DefaultTemplate(
        "uw_bezoek_aan_onze_gemeente",
        "nl",
        Purpose.TOURISM,
        "Goedendag {{naam}}, u vroeg ons naar {{onderwerp}}. De gegevens liggen voor u klaar. "
        "Antwoord op dit bericht, dan sturen wij ze u toe.",
        (("naam", "mevrouw De Vries"), ("onderwerp", "de wandelroute langs de rivier")),
    ),
    DefaultTemplate(
        "your_visit_to_our_municipality",
        "en",
        Purpose.TOURISM,
        "Good day {{name}}, you asked us about {{subject}}. We have the details for you. "
        "Reply to this message and we will send them.",
        (("name", "Ms De Vries"), ("subject", "the walk along the river")),
    ),
)


def install_defaults(*, tenant: NewTenant) -> None:
    """Give a new tenant the default templates of its declared purposes, as drafts; runs inside its schema."""
    declared = tenant.municipality.declared_purposes.values_list("purpose", flat=True)
    install(waba_id=tenant.number.waba_id, purposes=declared, at=tenant.at)


def install(*, waba_id: str, purposes: Iterable[str], at: datetime) -> None:
    """Give an account the default templates of some purposes, as drafts; a name that is taken stays as it is.

    Runs inside the tenant's schema. Safe to repeat.
    """
    wanted = frozenset(purposes)
    taken = frozenset(Template.objects.filter(waba_id=waba_id).values_list("name", "language"))
    for each in DEFAULTS:
        if each.purpose not in wanted or (each.name, each.language) in taken:
            continue
        template = Template(
            waba_id=waba_id,
            name=each.name,
            language=each.language,
            category="UTILITY",
            purpose=each.purpose,
            listed_components=each.components(),
        )
        put_components(template=template, found=each.components(), parameter_format="NAMED")
        template.save(force_insert=True)
        changed = ["status", "category", "components"]
        record_version(template=template, at=at, source=TemplateVersion.Source.OURS, changed=changed)
