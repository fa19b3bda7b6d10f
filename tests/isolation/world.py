"""Two municipalities and a console, full of rows that cannot be mistaken, and people and systems signed in to each."""

import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from html import unescape
from typing import Any
from urllib.parse import unquote

from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from asgiref.sync import async_to_sync
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection, models
from django.http import HttpResponseBase
from django.test.client import BOUNDARY, MULTIPART_CONTENT, AsyncClientHandler, FakePayload, encode_multipart
from django_tenants.utils import schema_context

from accounts.keys import create_key
from accounts.making import make_user, set_up_app
from accounts.models import ApiKey, User
from accounts.roles import BspRole, MunicipalRole
from accounts.scopes import BSP_SCOPES, TENANT_SCOPES
from accounts.sessions import SessionStore
from audit.record import Actor
from config.local.sign_ins import code
from tenants.models import Municipality
from tests.conftest import MADE_AT
from tests.isolation.rows import EVERYWHERE, IN_A_MUNICIPALITY, OF_A_MUNICIPALITY, Party

PASSWORD = "een-lang-wachtwoord-1"
ALL = "*"  # the session with every role, the key with every scope
SHORTEST_MARK = 8
WALK_SECONDS = 3600
Fingerprint = dict[str, tuple[int, str]]
# Into which tables of a schema and of `public` this transaction wrote, also where that was taken back.
WRITTEN = """
SELECT nspname || '.' || relname FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace
WHERE nspname IN (%s, 'public') AND relkind = 'r' AND pg_stat_get_xact_tuples_inserted(pg_class.oid)
    + pg_stat_get_xact_tuples_updated(pg_class.oid) + pg_stat_get_xact_tuples_deleted(pg_class.oid) > 0
"""

# Asynchronous, as the web process is: there error pages are made in a thread of their own.
_handler = AsyncClientHandler(enforce_csrf_checks=False)


@dataclass(repr=False)
class World:
    """All parties. The owner is who must not be read; the other is who tries."""

    owner: Party
    other: Party
    console: Party
    _marks: dict[str, dict[str, set[str]]] = field(default_factory=dict)

    @property
    def parties(self) -> tuple[Party, Party, Party]:
        """Everyone."""
        return self.owner, self.other, self.console

    def marks(self, party: Party) -> dict[str, set[str]]:
        """Return what stands in a party's rows and in nobody else's: the value, and the fields that hold it."""
        if party.schema not in self._marks:
            others = {value for each in self.parties if each is not party for value in _values(each)}
            found = {value: fields for value, fields in _values(party).items() if value not in others}
            self._marks[party.schema] = found
        return self._marks[party.schema]


def make_world() -> World:
    """Make all rows, users and keys in the database that the connection is in."""
    found = {row.schema_name: row for row in Municipality.objects.all()}
    owner = Party("utrecht", word="utrecht", digits="70000344", municipality=found["utrecht"])
    other = Party("delft", word="delft", digits="70000503", municipality=found["delft"])
    console = Party("public", word="console", digits="70000999")
    for party in (owner, other, console):
        _sign_in(party)
        with schema_context(party.schema):
            makers = EVERYWHERE if party is console else {**EVERYWHERE, **IN_A_MUNICIPALITY, **OF_A_MUNICIPALITY}
            for model, make in makers.items():
                party.rows[model] = make(party)
                party.rows[model].refresh_from_db()
    connection.set_schema_to_public()
    return World(owner=owner, other=other, console=console)


def _sign_in(party: Party) -> None:
    is_console = party.schema == "public"
    roles = (BspRole if is_console else MunicipalRole).values
    scopes = sorted(BSP_SCOPES if is_console else TENANT_SCOPES)
    actor = Actor.system("tests")
    for name, chosen in {**{role: [role] for role in roles}, ALL: roles}.items():
        email = f"{name.lower().replace(ALL, 'all')}@{party.text('user')}.example"
        with schema_context("public"):
            made = make_user(
                schema_name=party.schema,
                email=email,
                name=party.text("user") if name == ALL else f"{party.text('user')} {name}",
                roles=chosen,
                password=PASSWORD,
                actor=actor,
                at=MADE_AT,
            )
        secret = set_up_app(schema_name=party.schema, user=made.user)
        answer = ask(party.host, "POST", "/sign-in/", form={"login": email, "password": PASSWORD})
        halfway = answer.cookies[settings.SESSION_COOKIE_NAME].value
        for _ in range(2):  # half a minute may be over between making a code and asking for it
            form = {"code": code(secret=secret)}
            answer = ask(party.host, "POST", "/sign-in/second-step/", form=form, session=halfway)
            if answer.status_code == 302:
                break
        assert answer.status_code == 302, (answer.status_code, answer.headers, answer.content)
        party.sessions[name] = answer.cookies[settings.SESSION_COOKIE_NAME].value
        with schema_context(party.schema):
            _keep_fresh(party.sessions[name])
        party.passwords[email] = PASSWORD
    with schema_context(party.schema):
        party.more += [*User.objects.all(), *Session.objects.all()]
        for name, chosen in {**{scope: [scope] for scope in scopes}, ALL: scopes}.items():
            key = party.text("system") if name == ALL else f"{party.text('system')} {name}"
            party.keys[name] = create_key(name=key, scopes=chosen, actor=actor, at=MADE_AT).secret
        assert ApiKey.objects.count() == len(scopes) + 1


def _keep_fresh(cookie: str) -> None:
    """Let a session have just begun for as long as the walk takes: some pages ask for a fresh sign-in."""
    session = SessionStore(session_key=cookie)
    for step in session[AUTHENTICATION_METHODS_SESSION_KEY]:
        step["at"] += WALK_SECONDS
    session.save()


# --- Asking


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request. form: sent as a browser does; body: as JSON."""

    host: str
    method: str
    path: str
    session: str | None = None
    key: str | None = None
    form: dict[str, Any] | None = None
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    def scope(self) -> dict[str, Any]:
        """Return it as the server hands it on."""
        body, content_type = self.body, "application/json"
        if self.form is not None:
            body, content_type = encode_multipart(BOUNDARY, self.form), MULTIPART_CONTENT
        sent = {"host": self.host, "content-type": content_type, "content-length": str(len(body)), **self.headers}
        if self.session is not None:
            sent["cookie"] = f"{settings.SESSION_COOKIE_NAME}={self.session}"
        if self.key is not None:
            sent["authorization"] = f"Bearer {self.key}"
        address, _, query = self.path.partition("?")
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": self.method,
            "scheme": "http",
            "path": address,
            "query_string": query,
            "client": ["127.0.0.1", 0],
            "server": ("127.0.0.1", "80"),
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in sent.items()],
            "_body_file": FakePayload(body),
        }


def ask_all(asked: Iterable[Asked]) -> list[Any]:
    """Make requests, one after the other, through all of Django's middleware; its sync parts run in this thread."""

    async def answers() -> list[Any]:
        found = []
        for each in asked:
            cache.clear()  # so that no limit of attempts answers in the place of what is asked
            found.append(await _handler(each.scope()))
        return found

    connection.set_schema_to_public()
    try:
        return async_to_sync(answers)()
    finally:
        connection.set_schema_to_public()


def ask(host: str, method: str, path: str, **more: Any) -> Any:
    """Make one request and return its answer."""
    return ask_all([Asked(host=host, method=method, path=path, **more)])[0]


def text_of(answer: HttpResponseBase) -> str:
    """Return everything that an answer says: head, cookies and body, also as they read without their escapes."""
    body = (
        b"".join(answer).decode("utf-8", "replace") if answer.streaming else answer.content.decode("utf-8", "replace")
    )
    said = f"{dict(answer.headers)}\n{answer.cookies.output()}\n{body}"
    return f"{said}\n{unescape(unquote(said))}"


def found_in(said: str, marks: Iterable[str]) -> list[str]:
    """Return which marks are in a text."""
    return sorted(set(_pattern(frozenset(marks)).findall(said)))


@lru_cache(maxsize=8)
def _pattern(marks: frozenset[str]) -> re.Pattern[str]:
    """Return what finds each mark, the longest where one begins as another does."""
    return re.compile(_one_of(sorted(marks)) or r"(?!)")


def _one_of(words: list[str]) -> str:
    """Return an expression for sorted words in which what several begin with stands once.

    Of thousands of words one after the other each would be tried at every letter of an answer.
    """
    by_first: dict[str, list[str]] = {}
    for word in filter(None, words):
        by_first.setdefault(word[0], []).append(word)
    branches = []
    for some in by_first.values():
        pairs = enumerate(zip(some[0], some[-1], strict=False))
        same = next((place for place, (one, other) in pairs if one != other), min(len(some[0]), len(some[-1])))
        branches.append(re.escape(some[0][:same]) + _one_of([word[same:] for word in some]))
    if not branches:
        return ""
    is_optional = "?" if "" in words else ""
    return branches[0] if len(branches) == 1 and not is_optional else f"(?:{'|'.join(branches)}){is_optional}"


# --- What is there


def _values(party: Party) -> dict[str, set[str]]:
    """Return every text and id in a party's rows, with the fields that hold it."""
    found: dict[str, set[str]] = {}
    for row in (*party.rows.values(), *party.more):
        model = type(row)
        for column in model._meta.concrete_fields:
            for value in _texts(column.value_from_object(row)):
                if len(value) >= SHORTEST_MARK:
                    found.setdefault(value, set()).add(f"{model.__name__}.{column.name}")
    return found


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for each in value.values() for text in _texts(each))
    elif isinstance(value, list):
        yield from (text for each in value for text in _texts(each))
    elif type(value).__name__ == "UUID":
        yield str(value)


def fingerprint(party: Party, *, cursor: Any = None, only: Collection[str] | None = None) -> Fingerprint:
    """Return of each table, or of those that are named, how many rows of a party's it has, and a digest of them.

    All tables of its schema, and of `public` the rows that name it: by municipality, number, account, invoice or word.
    Of the console: those tables of `public` that each schema has too.
    """
    if cursor is None:
        with connection.cursor() as own:
            return fingerprint(party, cursor=own, only=only)
    cursor.execute(
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN (%s, 'public') ORDER BY 1, 2", [party.schema]
    )
    own_tables = {model._meta.db_table for model in EVERYWHERE}
    parts = []
    for schema, table in cursor.fetchall():
        if party.schema == "public" and table not in own_tables:
            continue
        if only is not None and f"{schema}.{table}" not in only:
            continue
        chosen = "" if schema == party.schema else " WHERE t::text ~ %(names)s"
        parts.append(
            f"SELECT '{schema}.{table}', count(*), coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '')"
            f' FROM {"ONLY " if table == "inbox" else ""}"{schema}"."{table}" AS t{chosen}'
        )
    if not parts:
        return {}
    cursor.execute(" UNION ALL ".join(parts), {"names": "|".join(_names(party))})
    return {table: (count, digest) for table, count, digest in cursor.fetchall()}


def _names(party: Party) -> list[str]:
    from billing.models import Invoice
    from tenants.models import Number

    if party.municipality is None:
        return ["(?!)"]
    number = party.rows[Number]
    ids = [str(party.municipality.id), number.phone_number_id, number.waba_id, str(party.rows[Invoice].id)]
    return [*ids, f"merk-{party.word}-"]


def fingerprint_after(party: Party, *, made: Fingerprint) -> Fingerprint:
    """Return what `fingerprint` would: of the tables that this transaction wrote into, and what all others were."""
    with connection.cursor() as cursor:
        cursor.execute(WRITTEN, [party.schema])
        written = {table for (table,) in cursor.fetchall()}
        return {**made, **fingerprint(party, cursor=cursor, only=written)} if written else made


def changed(before: Fingerprint, after: Fingerprint) -> list[str]:
    """Return the tables in which two fingerprints differ."""
    return sorted(table for table in before.keys() | after.keys() if before.get(table) != after.get(table))


def table_of(party: Party, model: type[models.Model]) -> str:
    """Return the name of a model's table as a fingerprint has it."""
    schema = "public" if model in OF_A_MUNICIPALITY else party.schema
    return f"{schema}.{model._meta.db_table}"


@contextmanager
def undone() -> Iterator[None]:
    """Undo in the database whatever the block did."""
    from django.db import transaction

    with transaction.atomic():
        yield
        transaction.set_rollback(True)
