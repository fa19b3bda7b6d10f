"""What stands around every page: whose it is, where one can go, and in which other language."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.functional import Promise, SimpleLazyObject
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django_tenants.utils import get_public_schema_name

from accounts import breakglass, entering
from accounts.models import User
from accounts.permissions import Permission
from accounts.sign_on import gate
from accounts.sign_on.models import SignOn
from messaging import reading
from tenants.models import BreakGlass, Municipality, StageMove, Trouble
from tenants.onboarding.moves import last_ending
from tenants.stages import Stage
from web.access import is_fragment, permissions

# In the order of the navigation: name of the address, its word, and who sees it.
DOORS: tuple[tuple[str, Promise, Permission], ...] = (
    ("inbox", _("Inbox"), Permission.READ_THREADS),
    ("unreached", _("Not reached"), Permission.READ_THREADS),
    ("numbers", _("Number"), Permission.READ_NUMBERS),
    ("templates", _("Templates"), Permission.READ_TEMPLATES),
    ("overview", _("Overview"), Permission.READ_MUNICIPALITIES),
    ("municipalities", _("Municipalities"), Permission.READ_MUNICIPALITIES),
    ("onboardings", _("Onboarding"), Permission.READ_ONBOARDING),
    ("drafts", _("Drafts to judge"), Permission.JUDGE_DRAFTS),
    ("troubles", _("Numbers in trouble"), Permission.READ_MUNICIPALITIES),
    ("flow", _("Message flow"), Permission.READ_FLOW),
    ("entering", _("Entries"), Permission.ENTER_MUNICIPALITIES),
    ("users", _("Users"), Permission.READ_USERS),
    ("teams", _("Teams"), Permission.MANAGE_TEAMS),
    ("opening-hours", _("Opening hours"), Permission.MANAGE_OFFICE),
    ("closed-answer", _("Answer while closed"), Permission.MANAGE_OFFICE),
    ("privacy-notice", _("Privacy notice"), Permission.MANAGE_OFFICE),
    ("labels", _("Labels"), Permission.MANAGE_LABELS),
    ("canned", _("Canned replies"), Permission.MANAGE_CANNED),
    ("declaration", _("Declaration"), Permission.CHANGE_DECLARATION),
    ("elections", _("Election periods"), Permission.SET_ELECTIONS),
    ("sign-on", _("Single sign-on"), Permission.MANAGE_SIGN_ON),
    ("keys", _("API keys"), Permission.MANAGE_KEYS),
    ("invoices", _("Invoices"), Permission.READ_INVOICES),
    ("month-so-far", _("This month"), Permission.READ_INVOICES),
    ("unpaid", _("Unpaid"), Permission.READ_INVOICES),
    ("adjustments", _("Corrections by hand"), Permission.MANAGE_INVOICES),
    ("margin", _("Margin"), Permission.READ_INVOICES),
    ("rate-cards", _("Rate cards"), Permission.READ_INVOICES),
    ("buyers", _("Billing details"), Permission.READ_INVOICES),
    ("own-usage", _("Usage"), Permission.READ_USAGE),
    ("own-invoices", _("Invoices"), Permission.READ_OWN_INVOICES),
    ("trail", _("Audit trail"), Permission.READ_AUDIT),
    ("entries", _("BSP access"), Permission.READ_ENTRIES),
)

# What is set up once and then seldom looked at: behind one word, where somebody sees more of it than fits beside work.
SETTINGS = frozenset(
    {
        "teams",
        "opening-hours",
        "closed-answer",
        "privacy-notice",
        "labels",
        "canned",
        "declaration",
        "elections",
        "sign-on",
        "keys",
    }
)
FEW_SETTINGS = 2
FEW_DOORS = 4  # that fit above a page on a phone; more of them stand behind one button there
# How many letters of doors, each with three for the room around it, fit on a wide screen beside place and tools.
# More of them get a row of their own.
LETTERS_BESIDE = 75


@dataclass(frozen=True, slots=True)
class Door:
    """One entry of the navigation."""

    address: str
    word: Promise
    is_current: bool
    is_setting: bool


@dataclass(frozen=True, slots=True)
class Frame:
    """What the base template shows."""

    place: str
    is_console: bool
    doors: tuple[Door, ...]
    settings: tuple[Door, ...]
    has_menu: bool
    is_long: bool
    here: Promise | str  # the word of the door behind which the page is
    # With which the municipality's numbers cannot send or receive. Asked for when shown, and error pages show none:
    # they may be made where no tenant is.
    troubles: Callable[[], list[Trouble]]
    is_suspended: bool  # the BSP has it send nothing (tenants/stages.py)
    ended: Callable[[], StageMove | None]  # the BSP ended it; asked for when shown
    # Of the BSP's people: who is inside or asks to be, and the entry by which whoever asks for the page is.
    entries: Callable[[], list[BreakGlass]]
    inside_by: Callable[[], BreakGlass | None]
    reads_entries: bool
    decides_entries: bool
    enters: bool
    reads_threads: bool
    answers_threads: bool
    reveals_numbers: bool
    is_part: bool  # a script asks for a part of the page, which brings this along
    other_languages: tuple[tuple[str, str], ...]
    sends_mail: bool
    sign_on: Callable[[], SignOn | None]  # how people come by the municipality's provider; asked for when shown


def frame(request: HttpRequest) -> dict[str, Any]:
    """Give every template the frame, made when it is used: an error page may stand on a broken request."""
    return {"frame": SimpleLazyObject(lambda: _frame(request)), "language_code": get_language()}


def first_door(request: HttpRequest) -> str | None:
    """Return the first page that whoever is signed in may see, or None."""
    doors = _doors(request)
    return doors[0].address if doors else None


def _frame(request: HttpRequest) -> Frame:
    municipality: Municipality | None = getattr(request, "tenant", None)
    is_console = municipality is None or municipality.schema_name == get_public_schema_name()
    allowed, user = permissions(request), getattr(request, "user", None)
    entry_id = user.break_glass_id if isinstance(user, User) else None
    doors = _doors(request) if municipality is not None else ()
    setting = tuple(door for door in doors if door.is_setting)
    if len(setting) <= FEW_SETTINGS:
        setting = ()
    return Frame(
        place=municipality.name if municipality is not None and not is_console else "",
        is_console=is_console,
        doors=tuple(door for door in doors if door not in setting),
        settings=setting,
        has_menu=len(doors) > FEW_DOORS,
        is_long=sum(len(str(door.word)) + 3 for door in doors if door not in setting) > LETTERS_BESIDE,
        here=next((door.word for door in doors if door.is_current), ""),
        is_suspended=bool(allowed) and municipality is not None and municipality.stage == Stage.SUSPENDED,
        ended=partial(last_ending, municipality=municipality)
        if allowed and municipality is not None and municipality.stage == Stage.OFFBOARDED
        else lambda: None,
        troubles=list if is_console or not allowed else reading.blocking,
        entries=list
        if is_console or municipality is None or not allowed or entry_id is not None
        else partial(breakglass.open_or_waiting, municipality=municipality, now=timezone.now()),
        inside_by=partial(entering.find_entry, entry_id=entry_id),
        reads_entries=Permission.READ_ENTRIES in allowed,
        decides_entries=Permission.DECIDE_ENTRIES in allowed,
        enters=Permission.ENTER_MUNICIPALITIES in allowed,
        reads_threads=Permission.READ_THREADS in allowed,
        answers_threads=Permission.ANSWER_THREADS in allowed,
        reveals_numbers=Permission.REVEAL_NUMBERS in allowed,
        is_part=is_fragment(request),
        other_languages=tuple(pair for pair in settings.LANGUAGES if pair[0] != get_language()),
        sends_mail=settings.SENDS_MAIL,
        sign_on=_nothing if is_console else gate.running,
    )


def _nothing() -> None:
    """Return that there is none: the console's people have no provider."""


def _doors(request: HttpRequest) -> tuple[Door, ...]:
    allowed = permissions(request)
    doors = []
    for name, word, permission in DOORS:
        if permission in allowed:
            try:
                address = reverse(name)
            except NoReverseMatch:
                continue  # a page of the other kind of host
            is_current = request.path.startswith(address)
            doors.append(Door(address=address, word=word, is_current=is_current, is_setting=name in SETTINGS))
    return tuple(doors)
