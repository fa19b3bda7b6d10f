"""What people see of templates: the list with what needs them first, one with its history, and the last looks."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Case, Exists, OuterRef, QuerySet, Value, When

from messaging.models import UNASSIGNED, Template, TemplateAlert, TemplateSync, TemplateVersion
from messaging.templates import drafting, editing, judging, sending, submitting
from messaging.templates.checking import Problem
from messaging.templates.components import kind_of
from tenants.models import Municipality, Number
from whatsapp.payloads.parts import objects, text

TEMPLATES_A_PAGE = 50
VERSIONS_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Button:
    """One button as a person sees it: its label, and where it leads."""

    kind: str
    label: str
    target: str


@dataclass(frozen=True, slots=True)
class Parts:
    """A template's parts as a person sees them. media: IMAGE, VIDEO, DOCUMENT or LOCATION, in the header's place."""

    header: str
    media: str
    body: str
    footer: str
    buttons: tuple[Button, ...]


@dataclass(frozen=True, slots=True)
class TemplateView:
    """A template, its parts, why it cannot be sent (a code, or nothing), and its open alerts by kind."""

    template: Template
    parts: Parts
    refusal: str
    alerts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account: its numbers, the last look at its templates, and whether one is under way or asked for."""

    waba_id: str
    numbers: tuple[str, ...]
    look: TemplateSync | None
    under_way: bool
    asked: bool


@dataclass(frozen=True, slots=True)
class TemplatesPage:
    """One page of the list; attention: how many templates of all need somebody."""

    views: tuple[TemplateView, ...]
    accounts: tuple[AccountView, ...]
    total: int
    attention: int
    page: int
    has_more: bool


@dataclass(frozen=True, slots=True)
class TemplateDetails:
    """One template with its versions, the latest first, and the purposes that it may be given.

    problems: of a draft, the rules for which it cannot be handed in; judgement: how it stands with the declaration.
    may_be_written: whether it can be changed here as a draft; may_be_edited: whether new words can be written for what
    Meta has; edit: those that wait, and how they would look.
    """

    view: TemplateView
    versions: tuple[TemplateVersion, ...]
    purposes: tuple[str, ...]
    problems: tuple[Problem, ...]
    judgement: judging.Judgement | None
    may_be_written: bool
    may_be_edited: bool
    edit: editing.EditView | None
    edit_parts: Parts | None


def templates(*, municipality: Municipality, page: int, at: datetime) -> TemplatesPage:
    """Return one page of the templates, by a fixed number of queries.

    Those first that need somebody; last those that are deleted, because nothing can be done about them.
    """
    page = max(page, 1)
    every = Template.objects.alias(needs=Exists(_open_alerts())).alias(
        calm=Case(
            When(status=Template.Status.DELETED, then=Value(2)),
            When(needs=True, then=Value(0)),
            When(purpose=UNASSIGNED, then=Value(0)),
            default=Value(1),
        )
    )
    start = (page - 1) * TEMPLATES_A_PAGE
    found = list(every.order_by("calm", "name", "language")[start : start + TEMPLATES_A_PAGE + 1])
    return TemplatesPage(
        views=_views(found[:TEMPLATES_A_PAGE], at),
        accounts=accounts(municipality=municipality),
        total=Template.objects.count(),
        attention=every.filter(calm=0).count(),
        page=page,
        has_more=len(found) > TEMPLATES_A_PAGE,
    )


def template(*, template_id: UUID, at: datetime) -> TemplateDetails:
    """Return one template.  Raises Template.DoesNotExist."""
    found = Template.objects.get(id=template_id)
    is_draft = found.status == Template.Status.DRAFT
    edit = editing.view(template=found, at=at)
    return TemplateDetails(
        view=_views([found], at)[0],
        versions=tuple(found.versions.order_by("-number")[:VERSIONS_SHOWN]),
        purposes=tuple(sending.declared_purposes()),
        problems=submitting.problems_of(template=found, at=at) if is_draft else (),
        judgement=judging.judgement(template=found, at=at) if is_draft else None,
        may_be_written=drafting.may_be_written(template=found),
        may_be_edited=editing.may_be_edited(template=found),
        edit=edit,
        edit_parts=parts_of(template=edit.template) if edit is not None else None,
    )


def accounts(*, municipality: Municipality) -> tuple[AccountView, ...]:
    """Return the municipality's accounts with the last look at each."""
    numbers: dict[str, list[str]] = defaultdict(list)
    for number in Number.objects.filter(municipality=municipality, closed_at=None).order_by("display_phone_number"):
        numbers[number.waba_id].append(number.display_phone_number)
    looks = {look.waba_id: look for look in TemplateSync.objects.filter(waba_id__in=numbers)}
    now = _database_now()
    return tuple(_account(waba_id, shown, looks.get(waba_id), now) for waba_id, shown in sorted(numbers.items()))


def parts_of(*, template: Template) -> Parts:
    """Return a template's parts, as far as they can be read."""
    by_kind = {kind_of(each): each for each in reversed(objects(template.components))}
    header = by_kind.get("HEADER", {})
    form = str(header.get("format", "TEXT")).upper()
    buttons = objects(by_kind.get("BUTTONS", {}).get("buttons"))
    return Parts(
        header=(text(header.get("text")) or "") if form == "TEXT" else "",
        media="" if form == "TEXT" else form,
        body=template.body,
        footer=text(by_kind.get("FOOTER", {}).get("text")) or "",
        buttons=tuple(
            Button(
                kind=str(each.get("type", "")).upper(),
                label=text(each.get("text")) or "",
                target=text(each.get("url")) or text(each.get("phone_number")) or "",
            )
            for each in buttons
        ),
    )


def _open_alerts() -> QuerySet[TemplateAlert]:
    return TemplateAlert.objects.filter(template=OuterRef("pk"), ended_at=None)


def _views(found: Sequence[Template], at: datetime) -> tuple[TemplateView, ...]:
    refusals = sending.refusals(templates=found, at=at)
    alerts = _alerts(found)
    return tuple(
        TemplateView(
            template=each,
            parts=parts_of(template=each),
            refusal=refusals[each.id] or "",
            alerts=tuple(alerts[each.id]),
        )
        for each in found
    )


def _alerts(found: Iterable[Template]) -> dict[UUID, list[str]]:
    by_template: dict[UUID, list[str]] = defaultdict(list)
    for alert in TemplateAlert.objects.filter(template__in=list(found), ended_at=None).order_by("raised_at", "id"):
        by_template[alert.template_id].append(alert.kind)
    return by_template


def _account(waba_id: str, numbers: list[str], look: TemplateSync | None, now: datetime) -> AccountView:
    under_way = look is not None and look.leased_until is not None and look.leased_until > now
    asked = look is not None and look.requested_at is not None
    return AccountView(waba_id=waba_id, numbers=tuple(numbers), look=look, under_way=under_way, asked=asked)


def _database_now() -> datetime:
    """Return the time on which leases run."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now
