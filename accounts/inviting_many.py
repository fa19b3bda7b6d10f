"""A list of people to invite, as CSV: read and checked as a whole, with what is wrong by line.

Columns `email`, `name`, `roles`, in any order, with commas or semicolons between them; several roles have spaces
between them. A role is written as its code or its Dutch name.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from io import StringIO

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts import invitations
from accounts.models import Invitation, User
from accounts.roles import roles_here
from audit.record import Actor

MOST = 500
LONGEST_NAME, LONGEST_EMAIL = 200, 254
COLUMNS = ("email", "name", "roles")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to invite."""

    email: str
    name: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong on a line; line 1 holds the names of the columns."""

    line: int
    what: Promise | str


@dataclass(frozen=True, slots=True)
class Read:
    """A list as it was read. It can be invited when it has people and no problems."""

    people: tuple[Person, ...]
    problems: tuple[Problem, ...]


def read(*, text: str) -> Read:
    """Read and check a list in the schema that the connection is in: one query, however long it is."""
    text = text.lstrip("\ufeff").replace("\x00", "")
    try:
        rows = list(csv.reader(StringIO(text), delimiter=_delimiter(text)))
    except csv.Error:
        rows = []  # such as a cell without an end
    head = [name.strip().lower() for name in rows[0]] if rows else []
    if not set(COLUMNS) <= set(head):
        return Read((), (Problem(1, _("The first line must name the columns email, name and roles.")),))
    if len(rows) > MOST + 1:
        return Read((), (Problem(MOST + 2, _("Invite at most 500 people at once.")),))
    people, problems, first = [], [], dict[str, int]()
    for line, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        given = dict(zip(head, (cell.strip() for cell in row), strict=False))
        person, wrong = check(given=given)
        if person.email in first:
            wrong.append(_("This address stands on an earlier line too."))
        first.setdefault(person.email, line)
        people.append(person)
        problems += [Problem(line, what) for what in wrong]
    there = set(User.objects.filter(email__in=first).values_list("email", flat=True))
    problems += [Problem(first[email], THERE) for email in there]
    if not people and not problems:
        problems.append(Problem(1, _("There is nobody on the list.")))
    return Read(tuple(people), tuple(sorted(problems, key=lambda each: each.line)))


THERE = _("Somebody with this address is among the users already.")


def check(*, given: Mapping[str, str]) -> tuple[Person, list[Promise]]:
    """Return somebody as they were given, and what is wrong with that; not whether they are there already."""
    wrong: list[Promise] = []
    email, name = given.get("email", "").lower(), given.get("name", "")
    try:
        validate_email(email)
    except ValidationError:
        wrong.append(_("This is no e-mail address."))
    if len(email) > LONGEST_EMAIL:
        wrong.append(_("This is no e-mail address."))
    if not name or len(name) > LONGEST_NAME or "\x00" in name:
        wrong.append(_("Give a name of at most 200 characters."))
    known = {
        **{code.lower(): code for code, _word in roles_here()},
        **{word.lower(): code for code, word in roles_here()},
    }
    asked = given.get("roles", "").lower().replace("|", " ")
    for word, code in known.items():
        asked = asked.replace(word, code) if " " in word else asked
    roles = [known.get(word.lower(), "") for word in asked.split()]
    if not roles or "" in roles:
        wrong.append(_("A role is missing or unknown."))
    return Person(email=email, name=name, roles=tuple(dict.fromkeys(filter(None, roles)))), wrong


@transaction.atomic
def invite_all(*, people: tuple[Person, ...], actor: Actor, language: str, at: datetime) -> list[Invitation]:
    """Invite everyone on a list, or nobody.  Raises AlreadyThere: one came meanwhile; nothing was done."""
    return [
        invitations.invite(email=each.email, name=each.name, roles=each.roles, actor=actor, language=language, at=at)
        for each in people
    ]


def _delimiter(text: str) -> str:
    head = text.split("\n", 1)[0]
    return ";" if head.count(";") > head.count(",") else ","
