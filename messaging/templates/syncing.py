"""One look at all templates of one account: what Meta has is taken in, what it no longer has is marked.

Page by page, each page written before the next is read, no transaction over a call. A listed template that is odd is
kept and counted; only Meta's refusal, or its silence, ends a look, and then what was read until there stays and nothing
is taken for deleted. Before one is marked as deleted Meta is asked for it by its id: pages shift while they are read.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import aiohttp
import structlog
from django.conf import settings
from django.db import transaction

from messaging.figures import TEMPLATE_PROBLEMS, TEMPLATE_SYNCS
from messaging.models import UNASSIGNED, Template, TemplateSync
from messaging.templates import leasing, requesting
from messaging.templates.records import Listed, Unreadable, read
from messaging.templates.taking import Source, StatusWord, Word, take
from tenants.encryption import UnreadableSecret
from tenants.models import Number
from whatsapp.client import CloudAPI
from whatsapp.outcomes import MetaRefused, MetaUnreachable, Reason, TemplatePage
from whatsapp.transport import open_session

MOST_PAGES = 1000  # before a listing is taken to run in circles
PAGE_SIZES = (100, 25, 5)  # templates a page: the next size when Meta finds one too much
TOO_MUCH_CODES = frozenset({1, 2})
MOST_UNREADABLE_KEPT = 50
NO_SUCH_OBJECT = 100  # Meta's code for an object that is not there, or not for this token

log = structlog.get_logger(__name__)


class SyncUnderWay(Exception):
    """Another look at this account is under way; its result comes."""


@dataclass(slots=True)
class Look:
    """One look while it is under way, and what it counted."""

    waba_id: str
    token: str
    at: datetime
    known: Mapping[UUID, Mapping[str, Any]]  # every template's stamps when the look began
    names: dict[UUID, str] = field(default_factory=dict)
    met: set[UUID] = field(default_factory=set)
    seen: int = 0
    added: int = 0
    changed: int = 0
    deleted: int = 0
    problems: int = 0
    unreadable: list[dict[str, Any]] = field(default_factory=list)
    doubtful: bool = False


def sync(*, number: Number, at: datetime) -> TemplateSync:
    """Take in all templates of a number's account; return what the look found, FAILED looks too.

    Runs inside the tenant's schema, in no transaction; safe to repeat and to kill.  Raises SyncUnderWay.
    """
    if not leasing.acquire(waba_id=number.waba_id, at=at):
        raise SyncUnderWay
    known = dict(Template.objects.filter(waba_id=number.waba_id).values_list("id", "stamps"))
    look = Look(waba_id=number.waba_id, token="", at=at, known=known)
    failure = "interrupted"
    try:
        failure = _look(look, number)
    finally:
        result = _finish(look, failure)
    log.info("templates_synced", outcome=result.outcome, failure=failure, seen=look.seen, problems=look.problems)
    return result


def _look(look: Look, number: Number) -> str:
    """Look; return the code of why it ended early, or nothing."""
    try:
        token = number.access_token()
    except UnreadableSecret:
        return "token_unreadable"
    if token is None:
        return "token_missing"
    look.token = token
    try:
        with asyncio.Runner() as runner:
            session = runner.run(_opened())
            try:
                api = CloudAPI(session=session, base_url=settings.META_GRAPH_URL, version=settings.META_GRAPH_VERSION)
                _read_pages(look, runner, api)
                _look_for_missing(look, runner, api)
            finally:
                runner.run(session.close())
    except MetaRefused as refusal:
        return f"meta_{refusal.error.code}"
    except MetaUnreachable as silence:
        return str(silence.reason).lower()
    return ""


async def _opened() -> aiohttp.ClientSession:
    return open_session(connections=1)  # which needs a running loop


def _read_pages(look: Look, runner: asyncio.Runner, api: CloudAPI) -> None:
    after: str | None = None
    sizes = list(PAGE_SIZES)
    for _page in range(MOST_PAGES):
        page = _read_page(look, runner, api, after, sizes)
        for item in page.items:
            _take_item(look, item)
        TemplateSync.objects.filter(waba_id=look.waba_id).update(seen=look.seen)  # what the page of templates shows
        leasing.prolong(waba_id=look.waba_id)
        after = page.after
        if after is None:
            return
    raise MetaUnreachable(Reason.UNREADABLE_ANSWER, may_have_happened=True)


def _read_page(look: Look, runner: asyncio.Runner, api: CloudAPI, after: str | None, sizes: list[int]) -> TemplatePage:
    """Return a page; where Meta finds it too much, smaller ones are asked for from there on."""
    while True:
        try:
            return runner.run(
                api.template_page(waba_id=look.waba_id, access_token=look.token, after=after, limit=sizes[0])
            )
        except (MetaRefused, MetaUnreachable) as failure:
            if len(sizes) == 1 or not _is_too_much(failure):
                raise
            sizes.pop(0)


def _is_too_much(failure: MetaRefused | MetaUnreachable) -> bool:
    """Return whether a smaller page may succeed: Meta says "reduce the amount of data", breaks, or says too much."""
    if isinstance(failure, MetaRefused):
        return failure.error.code in TOO_MUCH_CODES
    return failure.reason in {Reason.SERVER_ERROR, Reason.READ_TIMEOUT, Reason.ANSWER_TOO_LARGE}


def _take_item(look: Look, item: object) -> None:
    look.seen += 1
    listed = read(item=item, at=look.at)
    if isinstance(listed, Unreadable):
        look.problems += 1
        TEMPLATE_PROBLEMS.labels(listed.why).inc()
        if len(look.unreadable) < MOST_UNREADABLE_KEPT:
            look.unreadable.append({"why": listed.why, "raw": listed.raw})
        return
    _take(look, listed)


@transaction.atomic
def _take(look: Look, listed: Listed) -> None:
    """Take one template in: find or make its row, and weigh what Meta says of it."""
    found, is_new = Template.objects.get_or_create(
        waba_id=look.waba_id,
        name=listed.name,
        language=listed.language,
        defaults={"category": "", "status": Template.Status.UNKNOWN, "purpose": UNASSIGNED, "body": ""},
    )
    template = Template.objects.select_for_update(no_key=True).get(id=found.id)
    taken = take(template=template, word=listed.word, known=look.known.get(template.id, {}))
    look.doubtful = look.doubtful or taken.doubtful
    look.met.add(template.id)
    look.added += is_new
    look.changed += bool(taken.changed) and not is_new
    if problem := template.problem or ("UNKNOWN_STATUS" if template.status == Template.Status.UNKNOWN else ""):
        look.problems += 1
        TEMPLATE_PROBLEMS.labels(problem.lower()).inc()


def _look_for_missing(look: Look, runner: asyncio.Runner, api: CloudAPI) -> None:
    """Ask Meta for each template that was not listed, and mark those that are not there."""
    gone = (Template.Status.DRAFT, Template.Status.DELETED)
    missing = Template.objects.filter(waba_id=look.waba_id, id__in=look.known).exclude(status__in=gone)
    for template in missing.exclude(id__in=look.met).order_by("name", "language"):
        if not template.meta_id:
            if not look.unreadable:  # else it may be one of those that could not be told apart
                _mark_deleted(look, template.id)
            continue
        try:
            item = runner.run(api.template(template_id=template.meta_id, access_token=look.token))
        except MetaRefused as refusal:
            if refusal.error.code != NO_SUCH_OBJECT:
                raise
            _mark_deleted(look, template.id)
        else:
            _take_item(look, item)


@transaction.atomic
def _mark_deleted(look: Look, template_id: UUID) -> None:
    template = Template.objects.select_for_update(no_key=True).get(id=template_id)
    word = Word(at=look.at, source=Source.LOOK, status=StatusWord(Template.Status.DELETED))
    taken = take(template=template, word=word, known=look.known.get(template.id, {}))
    look.doubtful = look.doubtful or taken.doubtful
    look.deleted += bool(taken.changed)


def _finish(look: Look, failure: str) -> TemplateSync:
    outcome = TemplateSync.Outcome.OK
    if failure:
        outcome = TemplateSync.Outcome.FAILED
    elif look.problems:
        outcome = TemplateSync.Outcome.WITH_PROBLEMS
    values: dict[str, Any] = {
        name: getattr(look, name) for name in ("seen", "added", "changed", "deleted", "problems", "unreadable")
    }
    if not failure:
        values["synced_at"] = look.at
    TemplateSync.objects.filter(waba_id=look.waba_id).update(
        outcome=outcome, failure=failure[:60], leased_until=None, **values
    )
    TEMPLATE_SYNCS.labels(outcome.lower()).inc()
    if look.doubtful:
        requesting.request(waba_id=look.waba_id, at=look.at)
    return TemplateSync.objects.get(waba_id=look.waba_id)
