"""The pages on which a municipal admin writes a template, sees it as on a phone, and hands it in."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.permissions import Permission
from messaging.models import Template
from messaging.templates import drafting, editing, judging, sending, submitting
from messaging.templates.drafting import CannotSave, Wording
from messaging.templates.submitting import LookFailed
from messaging.templates.syncing import SyncUnderWay
from tenants import clock, policy
from tenants.clock import AMSTERDAM
from tenants.models import Number
from web import template_words
from web.access import PageRequest, is_fragment, requires

PREVIEW, SAVE = "preview", "save"


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.MANAGE_TEMPLATES)
def new(request: PageRequest) -> HttpResponse:
    """Write a new template: show how it looks, then save it as a draft."""
    accounts = sorted(set(_numbers(request).values_list("waba_id", flat=True)))
    if request.method != "POST":
        return _page(request, Wording(name="", language="nl", purpose="", body=""), accounts=accounts)
    wording = _given(request.POST)
    if request.POST.get("step") != SAVE:
        return _page(request, wording, accounts=accounts)
    chosen = request.POST.get("account", "")
    if chosen not in accounts:
        return _page(request, wording, accounts=accounts, refused=_("Choose one of your accounts."))
    try:
        made = drafting.create(waba_id=chosen, wording=wording, actor=request.user.actor(), at=clock.now())
    except CannotSave as error:
        return _page(request, wording, accounts=accounts, refused=template_words.cannot_save(error.code))
    messages.success(request, _("The draft is saved. Meta does not know it yet."))
    return redirect("template", made.id)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.MANAGE_TEMPLATES)
def edit(request: PageRequest, template_id: UUID) -> HttpResponse:
    """Change a draft, or write new words for what Meta has: of that name, language and purpose stay."""
    found = Template.objects.filter(id=template_id).first()
    is_draft = found is not None and drafting.may_be_written(template=found)
    if found is None or not (is_draft or editing.may_be_edited(template=found)):
        raise Http404
    if request.method != "POST":
        return _page(request, drafting.wording_of(template=editing.edited(template=found)), template=found)
    wording = _given(request.POST)
    if not is_draft:
        wording = replace(wording, name=found.name, language=found.language, purpose=found.purpose)
    if request.POST.get("step") != SAVE:
        return _page(request, wording, template=found)
    try:
        keep = drafting.change if is_draft else editing.save
        keep(template_id=template_id, wording=wording, actor=request.user.actor(), at=clock.now())
    except CannotSave as error:
        return _page(request, wording, template=found, refused=template_words.cannot_save(error.code))
    messages.success(
        request,
        _("The draft is saved. Meta does not know it yet.")
        if is_draft
        else _("The new words are saved. Meta does not know them yet, and what it has goes on as it is."),
    )
    return redirect("template", template_id)


@require_POST
@requires(Permission.MANAGE_TEMPLATES)
def drop_edit(request: PageRequest, template_id: UUID) -> HttpResponse:
    """Throw away new words that Meta was not asked about."""
    if not Template.objects.filter(id=template_id).exists():
        raise Http404
    if editing.drop(template_id=template_id, actor=request.user.actor(), at=clock.now()):
        messages.success(request, _("The new words were thrown away. What Meta has stays."))
    return redirect("template", template_id)


@require_POST
@requires(Permission.MANAGE_TEMPLATES)
def ask_review(request: PageRequest, template_id: UUID) -> HttpResponse:
    """Put a draft in which words are flagged before the BSP."""
    try:
        judging.ask(template_id=template_id, municipality=request.tenant, actor=request.user.actor(), at=clock.now())
    except Template.DoesNotExist:
        raise Http404 from None
    messages.success(request, _("Your provider was asked. You read the answer here."))
    return redirect("template", template_id)


@require_POST
@requires(Permission.MANAGE_TEMPLATES)
def submit(request: PageRequest, template_id: UUID) -> HttpResponse:
    """Hand a draft in for Meta's review, or new words for what Meta has."""
    found = Template.objects.filter(id=template_id).first()
    number = _numbers(request).filter(waba_id=found.waba_id).first() if found is not None else None
    if found is None or number is None:
        raise Http404
    try:
        hand_in = submitting.submit if found.status == Template.Status.DRAFT else editing.submit
        handed = hand_in(template_id=template_id, number=number, actor=request.user.actor(), at=clock.now())
    except (Template.DoesNotExist, editing.NoEdit):
        messages.warning(request, _("It is no draft any more."))
    except SyncUnderWay:
        messages.warning(request, _("A look at Meta's templates is under way. Try again in a minute."))
    except LookFailed as error:
        messages.error(request, template_words.sync_failure(error.failure))
    else:
        if handed.problems:
            messages.warning(request, _("It was not handed in. What is wrong with it is below."))
        elif handed.refused:
            messages.error(request, _("Meta did not take it (%(code)s). Nothing was lost.") % {"code": handed.refused})
        else:
            messages.success(request, _("Meta has it. The review takes minutes, at most a day."))
    return redirect("template", template_id)


def _numbers(request: PageRequest) -> Any:
    return Number.objects.filter(municipality=request.tenant, closed_at=None).order_by("id")


def _given(form: QueryDict) -> Wording:
    def field(name: str) -> str:
        return form.get(name, "").strip().replace("\r\n", "\n")

    examples = {
        name.removeprefix("example-"): str(value).strip() for name, value in form.items() if name.startswith("example-")
    }
    return Wording(
        name=field("name"),
        language=field("language"),
        purpose=field("purpose"),
        body=field("body"),
        header=field("header"),
        footer=field("footer"),
        replies=tuple(field(f"reply-{place}") for place in range(drafting.QUICK_REPLIES)),
        link_label=field("link_label"),
        link=field("link"),
        examples=examples,
    )


def _page(
    request: PageRequest,
    wording: Wording,
    *,
    accounts: list[str] | None = None,
    template: Template | None = None,
    refused: str = "",
) -> HttpResponse:
    replies = [*wording.replies, "", "", ""][: drafting.QUICK_REPLIES]
    examples = wording.examples or {}
    on = clock.now().astimezone(AMSTERDAM).date()
    is_begun = bool(wording.body)
    context = {
        "wording": wording,
        "template": template,
        "accounts": accounts or [],
        "account": request.POST.get("account", ""),
        "purposes": sending.declared_purposes(),
        "languages": drafting.LANGUAGES,
        "replies": list(enumerate(replies)),
        "variables": [(name, examples.get(name, "")) for name in wording.variables()],
        "shown": {each: wording.shown(getattr(wording, each)) for each in ("header", "body", "footer")},
        "buttons": [label for label in (*replies, wording.link_label) if label],
        "problems": wording.problems() if is_begun else (),
        "findings": policy.check(texts=judging.texts_of(name=wording.name, components=wording.components()), on=on),
        "refused": refused,
        "has_other_variables": is_fragment(request) and request.POST.get("known", "").split() != wording.variables(),
    }
    page = "web/draft_preview.html" if is_fragment(request) else "web/draft.html"
    return render(request, page, context, status=422 if refused else 200)
