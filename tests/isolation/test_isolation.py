"""The walk: every address, with the cookies and keys of others, reads nothing of the owner's and changes nothing of it.

The addresses come from the resolvers, the models from the registry; an address or model that is not in the tables
(addresses.py, rows.py) fails here. Each address is also asked by its owner, who must see or change what it is for: a
walk that sees nothing because it is broken fails too.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import pytest
from django.apps import apps
from django.conf import settings
from django.db import models
from django_tenants.utils import schema_context

from accounts.models import User
from tests.isolation import addresses, rows
from tests.isolation.addresses import API, CONSOLE_URLS, OPEN, PAGE, TENANT_URLS, Address
from tests.isolation.rows import Party
from tests.isolation.world import (
    ALL,
    Asked,
    Fingerprint,
    World,
    ask,
    ask_all,
    changed,
    fingerprint,
    fingerprint_after,
    found_in,
    table_of,
    text_of,
    undone,
)

IS_WHOLE = os.environ.get("WALK") == "whole"
FIELDS_AT_ONCE = 150  # Django takes 200
SHARE = 5
METHODS = ("GET", "HEAD", "PUT", "PATCH", "DELETE", "POST")  # POST last: signing out ends a session
TENANT_ROUTES, CONSOLE_ROUTES = addresses.routes(urlconf=TENANT_URLS), addresses.routes(urlconf=CONSOLE_URLS)
MODELS = [model for model in apps.get_models() if not model._meta.proxy]


@dataclass(frozen=True)
class Asker:
    """A cookie or a key, whose it is, and how it is called in a report."""

    name: str
    party: Party | None
    session: str | None = None
    key: str | None = None

    @property
    def is_strongest(self) -> bool:
        """Whether it may do everything at home."""
        return self.name.endswith(ALL)

    def opens(self, door: str) -> bool:
        """Whether such a door asks for what it has: a session or a key."""
        return (self.key is None or door != PAGE) and (self.session is None or door != API)


def askers(*parties: Party, route: str) -> Iterator[Asker]:
    """Return who asks for some parties: the cookie and the key that may everything, and one weaker of each.

    Which weaker ones goes round from address to address: each role and scope asks its share of them. What each role
    may at home is asked of every address by test_permissions.py. WALK=whole (`make walk`): everybody asks everything,
    with the id of every model in the place of each.
    """
    for party in parties:
        for name, session in _chosen(party.sessions, route=route):
            yield Asker(f"session of {party.schema} {name}", party, session=session)
        for name, key in _chosen(party.keys, route=route):
            yield Asker(f"key of {party.schema} {name}", party, key=key)


def _chosen(secrets: dict[str, str], *, route: str) -> list[tuple[str, str]]:
    if IS_WHOLE:
        return list(secrets.items())
    weaker = sorted(name for name in secrets if name != ALL)
    return [(name, secrets[name]) for name in (weaker[_turn(route) % len(weaker)], ALL)]


def _turn(route: str) -> int:
    """Return a number that is always an address' own, for what goes round from address to address."""
    return crc32(route.encode())


NOBODY = Asker("nobody", None)


METHODS_OF: dict[tuple[str, str], list[str]] = {}


def allowed_methods(host: Party, route: str, known: Address, ids_of: Party) -> list[str]:
    """Return the methods that an address knows, as who may do everything finds out; HEAD is answered as GET is."""
    if (host.schema, route) not in METHODS_OF:
        signed: dict[str, Any] = {"session": host.sessions[ALL]} if known.door == PAGE else {"key": host.keys[ALL]}
        path, sent = known.path(route, ids_of), known.sent(ids_of)
        with undone():
            answers = ask_all(Asked(host=host.host, method=each, path=path, **signed, **sent) for each in METHODS)
        found = [method for method, answer in zip(METHODS, answers, strict=True) if answer.status_code != 405]
        assert known.method in found
        METHODS_OF[host.schema, route] = [method for method in found if method != "HEAD"]
    return METHODS_OF[host.schema, route]


class Walk:
    """Asks one address of one host as many, and keeps what should not have been."""

    def __init__(self, world: World, *, host: Party, route: str, known: Address, shown: frozenset[str]) -> None:
        """Name the address. shown: the marks that may be seen there."""
        self.world, self.host, self.route, self.known, self.shown = world, host, route, known, shown
        self.wrong: list[str] = []
        self.asked = 0
        self._waiting: list[tuple[Asker, Asked, set[int]]] = []
        self._marks = frozenset(mark for party in world.parties for mark in world.marks(party))

    def ask(self, asker: Asker, method: str, path: str, right: set[int], **sent: Any) -> None:
        """Put one request in line."""
        asked = Asked(host=self.host.host, method=method, path=path, session=asker.session, key=asker.key, **sent)
        self._waiting.append((asker, asked, right))

    def run(self) -> None:
        """Make the requests; note each answer that shows a mark, or has a status that is not right."""
        waiting, self._waiting = self._waiting, []
        self.asked += len(waiting)
        for (asker, asked, right), answer in zip(waiting, ask_all([each[1] for each in waiting]), strict=True):
            self._look(asker, asked, right, answer)

    def _look(self, asker: Asker, asked: Asked, right: set[int], answer: Any) -> None:
        given = f"{asked.host} {asked.path} {asked.form} {asked.body!r} {asked.headers}"
        # Looked for among all: of a mark that begins as another does, the other is not in it.
        leaked = [
            mark for mark in found_in(text_of(answer), self._marks) if mark not in given and mark not in self.shown
        ]
        called = f"{asked.method} {asked.path} at {asked.host} by {asker.name}: {answer.status_code}"
        if leaked:
            self.wrong.append(f"{called} shows {leaked}")
        if answer.status_code not in right:
            self.wrong.append(f"{called}, which is none of {sorted(right)}")
        location = answer.headers.get("Location", "")
        at_home = asker.session is not None and asker.party is self.host
        sent_on = self.known.door == PAGE and answer.status_code == 302 and not location.startswith("/sign-in/")
        if sent_on and not (at_home and 302 in self.known.elsewhere):
            self.wrong.append(f"{called} sends to {location}, not to the sign-in")

    def report(self) -> str:
        """Return what was wrong, as far as it fits on a screen."""
        return "\n".join([f"{len(self.wrong)} of {self.asked} answers are wrong:", *self.wrong[:20]])

    def everybody(self, who: list[Asker], methods: list[str], ids_of: Party, right: set[int]) -> None:
        """Ask as everybody with one party's ids; by methods that the address does not know, as the strongest alone."""
        path, sent = self.known.path(self.route, ids_of), self.known.sent(ids_of)
        if self.known.door == OPEN:  # no role or scope makes a difference there
            who = [asker for asker in who if asker.is_strongest or asker is NOBODY]
        strongest = [asker for asker in who if asker.is_strongest and asker.opens(self.known.door)]
        for asker in who:
            for method in METHODS if asker in strongest[: None if IS_WHOLE else 1] else methods:
                self.ask(asker, method, path, right, **sent)

    def with_ids_everywhere(self, asker: Asker, methods: list[str], ids_of: Party, right: set[int]) -> None:
        """Ask with the ids of every model in each place: in the path, in the query, and in what is sent."""
        ids = {model: str(row.pk) for model, row in ids_of.rows.items()}
        names = [(name, value) for model, value in ids.items() for name in _names_of(model)]
        path = self.known.path(self.route, ids_of)
        spoofed = {"X-Forwarded-Host": ids_of.host, "X-Schema": ids_of.schema, "X-Tenant": str(ids_of.schema)}
        for method in methods:
            for some in batched(names, FIELDS_AT_ONCE):
                query = "&".join(f"{name}={value}" for name, value in [*some, ("schema", ids_of.schema)])
                address = f"{path}{'&' if '?' in path else '?'}{query}"
                sent = {} if method == "GET" else _joined(self.known.sent(ids_of), dict(some))
                self.ask(asker, method, address, right | {400, 422}, headers=spoofed, **sent)
            if "uuid:" in self.route and (IS_WHOLE or method == self.known.method):
                for value in self._ids_in_turn({value for value in ids.values() if len(value) == 36}):
                    self.ask(asker, method, self.known.path(self.route, ids_of, instead=value), right | {404})

    def _ids_in_turn(self, ids: set[str]) -> list[str]:
        """Return every SHARE-th of some ids, other ones for each address; all of them for the whole walk."""
        return sorted(ids) if IS_WHOLE else sorted(ids)[_turn(self.route) % SHARE :: SHARE]


def batched(names: list[tuple[str, str]], size: int) -> Iterator[list[tuple[str, str]]]:
    """Return the names in parts: a form of more fields is refused before any view sees it."""
    yield from (names[start : start + size] for start in range(0, len(names), size))


def _names_of(model: type[models.Model]) -> tuple[str, ...]:
    name = model.__name__.lower()
    return name, f"{name}_id", f"{name}Id"


def _joined(sent: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    import json

    if "form" in sent:
        return {"form": {**names, **sent["form"]}}
    return {"body": json.dumps({**names, **json.loads(sent.get("body", b"{}"))}).encode()}


def missing(kind: str, what: Any, where: str) -> str:
    """Return what to do about something that is in no table."""
    return f"{kind} {what!r} is new: enter it in tests/isolation/{where}, so that the walk knows what it is for"


class TestTables:
    """Nothing is forgotten."""

    @pytest.mark.parametrize("route", TENANT_ROUTES)
    def test_it_knows_each_address_of_a_municipality(self, route):
        assert route in addresses.OF_MUNICIPALITIES, missing("the address", route, "addresses.py, OF_MUNICIPALITIES")
        self._is_whole(route, addresses.OF_MUNICIPALITIES[route])

    @pytest.mark.parametrize("route", CONSOLE_ROUTES)
    def test_it_knows_each_address_of_the_console(self, route):
        assert route in addresses.OF_THE_CONSOLE, missing("the address", route, "addresses.py, OF_THE_CONSOLE")
        self._is_whole(route, addresses.OF_THE_CONSOLE[route])

    def _is_whole(self, route: str, known: Address) -> None:
        assert known.sees or known.changes or known.nothing, f"{route}: say what it shows or changes, or why nothing"
        assert set(known.ids) == set(addresses.parameters(route)), f"{route}: say whose ids its parameters are"

    def test_it_knows_no_address_that_is_gone(self):
        assert set(addresses.OF_MUNICIPALITIES) == set(TENANT_ROUTES)
        assert set(addresses.OF_THE_CONSOLE) == set(CONSOLE_ROUTES)

    @pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
    def test_it_has_a_row_of_each_model(self, model):
        app = model._meta.app_config.name
        tables = {
            (True, True): "EVERYWHERE",
            (False, True): "IN_A_MUNICIPALITY",
            (True, False): "OF_A_MUNICIPALITY",
        }
        table = tables[app in settings.SHARED_APPS, app in settings.TENANT_APPS]
        assert model in getattr(rows, table) or model in rows.NOBODYS, missing(
            "the model", model._meta.label, f"rows.py, {table} (or in NOBODYS with the reason)"
        )

    @pytest.mark.parametrize("model", [*rows.EVERYWHERE, *rows.IN_A_MUNICIPALITY, *rows.OF_A_MUNICIPALITY])
    def test_its_rows_are_unmistakable_and_watched(self, world: World, model):
        for party in world.parties:
            if model in party.rows:
                fields = {name for names in world.marks(party).values() for name in names}
                marked = any(name.startswith(f"{model.__name__}.") for name in fields)
                assert marked or model in rows.UNMARKED, f"{model.__name__}: no mark"
                count, digest = fingerprint(party)[table_of(party, model)]
                assert count >= 1
                assert digest

    def test_it_notices_what_is_written_also_by_what_was_undone_in_part(self, world: World, made):
        from django.db import transaction

        owner = world.owner
        with undone():
            assert fingerprint_after(owner, made=made[owner.schema]) is made[owner.schema]
            with schema_context(owner.schema), transaction.atomic():
                User.objects.update(name="Anders")
                transaction.set_rollback(True)
            assert fingerprint_after(owner, made=made[owner.schema]) is not made[owner.schema]
            with schema_context(owner.schema):
                User.objects.update(name="Anders")
            after = fingerprint_after(owner, made=made[owner.schema])
        assert changed(made[owner.schema], after) == [f"{owner.schema}.accounts_user"]

    def test_it_watches_every_table_of_a_schema(self, world: World):
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("SELECT 'utrecht.' || tablename FROM pg_tables WHERE schemaname = 'utrecht'")
            tables = {name for (name,) in cursor.fetchall()}
        assert tables <= set(fingerprint(world.owner))
        assert "utrecht.inbox_event" in tables


def marks_of(world: World, party: Party, *, fields: tuple[str, ...] | None = None) -> frozenset[str]:
    """Return a party's marks, all or those of some fields."""
    chosen = world.marks(party).items()
    return frozenset(mark for mark, names in chosen if fields is None or names & set(fields))


@pytest.fixture(scope="module")
def made(world: World) -> dict[str, Fingerprint]:
    """Return what each party's rows were at first: every test here undoes what it did, so that holds for all."""
    return {party.schema: fingerprint(party) for party in world.parties}


def control(world: World, made: dict[str, Fingerprint], *, host: Party, of: Party, route: str, known: Address) -> None:
    """Ask as who may, and find what the address is for."""
    credentials = {"session": host.sessions} if known.door != API else {"key": host.keys}
    ((kind, by_name),) = credentials.items()
    before = made[of.schema] | made[host.schema]
    asked = {} if route == "sign-in/" else {kind: by_name[known.by]}
    with undone():
        answer = ask(host.host, known.method, known.path(route, of), **asked, **known.sent(of))
        assert answer.status_code in known.answered, answer.content
        assert not answer.headers.get("Location", "").startswith("/sign-in/?"), "it asks to sign in"
        for name in known.sees:
            marks = marks_of(world, of, fields=(name,))
            assert found_in(text_of(answer), marks), f"{of.schema} does not see its own {name} at {route}"
        after: Fingerprint = {}
        for party in {of.schema: of, host.schema: host}.values():
            after |= fingerprint_after(party, made=made[party.schema])
        tables = changed(before, after)
    for model in known.changes:
        where = host if model in rows.EVERYWHERE else of
        assert table_of(where, model) in tables, f"{route} changes no {model.__name__}, but {tables}"


def changed_for(before: list[Any], after: list[Any], known: Address, *, host: Party) -> list[str]:
    """Return the tables that strangers changed, but for where the host notes that they tried."""
    noted = {table_of(host, model) for model in known.notes}
    return [table for pair in zip(before, after, strict=True) for table in changed(*pair) if table not in noted]


class TestMunicipalities:
    """A municipality's host, for who is not of that municipality; and another's host, with the owner's ids."""

    @pytest.fixture(params=TENANT_ROUTES)
    def route(self, request) -> str:
        return request.param

    def test_it_shows_strangers_nothing_and_lets_them_change_nothing(self, world: World, made, route):
        known, owner = addresses.OF_MUNICIPALITIES[route], world.owner
        walk = Walk(world, host=owner, route=route, known=known, shown=frozenset())
        methods = allowed_methods(owner, route, known, owner)
        before = [made[party.schema] for party in world.parties]
        strangers = [*askers(world.other, world.console, route=route), NOBODY]
        right = set(addresses.STRANGERS[known.door])
        with undone():
            walk.everybody(strangers, methods, owner if known.ids else world.other, right - known.never)
            walk.run()
            after = [fingerprint_after(party, made=made[party.schema]) for party in world.parties]
        assert not walk.wrong, walk.report()
        assert changed_for(before, after, known, host=owner) == []
        assert walk.asked >= (len(strangers) if known.door != OPEN else 5)

    def test_it_gives_another_municipality_nothing_for_the_owners_ids(self, world: World, made, route):
        known, owner, other = addresses.OF_MUNICIPALITIES[route], world.owner, world.other
        shown = marks_of(world, other)
        walk = Walk(world, host=other, route=route, known=known, shown=shown)
        methods = allowed_methods(other, route, known, other)
        before = made[owner.schema] | made[world.console.schema]
        right = known.elsewhere | {403, 405} | addresses.STRANGERS[known.door]
        if known.elsewhere == {404}:
            right -= {200}
        with undone():
            walk.everybody(list(askers(other, route=route)), methods, owner, right)
            for asker in askers(other, route=route):
                if asker.is_strongest and asker.opens(known.door):
                    walk.with_ids_everywhere(asker, methods, owner, right)
            walk.run()
            after: Fingerprint = {}
            for party in (owner, world.console):
                after |= fingerprint_after(party, made=made[party.schema])
        assert not walk.wrong, walk.report()
        assert changed(before, after) == []

    def test_it_shows_the_owner_what_it_is_for(self, world: World, made, route):
        for party in (world.owner, world.other):
            control(world, made, host=party, of=party, route=route, known=addresses.OF_MUNICIPALITIES[route])


class TestConsole:
    """The console's host, for municipalities; and for the BSP, who may not see what citizens wrote."""

    @pytest.fixture(params=CONSOLE_ROUTES)
    def route(self, request) -> str:
        return request.param

    def test_it_shows_municipalities_nothing_and_lets_them_change_nothing(self, world: World, made, route):
        known = addresses.OF_THE_CONSOLE[route]
        walk = Walk(world, host=world.console, route=route, known=known, shown=frozenset())
        methods = allowed_methods(world.console, route, known, world.owner)
        before = [made[party.schema] for party in world.parties]
        right = addresses.STRANGERS[known.door] - known.never
        with undone():
            walk.everybody([*askers(world.owner, world.other, route=route), NOBODY], methods, world.owner, right)
            walk.run()
            after = [fingerprint_after(party, made=made[party.schema]) for party in world.parties]
        assert not walk.wrong, walk.report()
        assert changed_for(before, after, known, host=world.console) == []

    def test_it_shows_the_bsp_nothing_that_lies_in_a_municipality(self, world: World, made, route):
        known, console = addresses.OF_THE_CONSOLE[route], world.console
        public = {
            mark
            for party in (world.owner, world.other)
            for mark, names in world.marks(party).items()
            if any(name.split(".")[0] in {model.__name__ for model in rows.OF_A_MUNICIPALITY} for name in names)
            or names & set(known.console_shows)
        }
        shown = marks_of(world, console) | public
        walk = Walk(world, host=console, route=route, known=known, shown=shown)
        methods = allowed_methods(console, route, known, world.owner)
        before = [made[party.schema] for party in (world.owner, world.other)]
        right = known.elsewhere | {200, 403, 405} | addresses.STRANGERS[known.door]
        with undone():
            walk.everybody(list(askers(console, route=route)), methods, world.owner, right)
            for asker in askers(console, route=route):
                if asker.is_strongest and asker.opens(known.door):
                    walk.with_ids_everywhere(asker, methods, world.owner, right)
            walk.run()
            after = [fingerprint_after(party, made=made[party.schema]) for party in (world.owner, world.other)]
        assert not walk.wrong, walk.report()
        trail = {"public.audit_entry"}  # the BSP's own, which says what the BSP itself did here
        trail |= {f"public.{model._meta.db_table}" for model in known.changes}  # it may do what the address is for
        if known.in_their_trail:
            trail |= {f"{party.schema}.audit_entry" for party in (world.owner, world.other)}
        if known.mails_them:
            trail |= {f"{party.schema}.accounts_mail" for party in (world.owner, world.other)}
        assert [set(changed(*pair)) - trail for pair in zip(before, after, strict=True)] == [set(), set()]

    def test_it_shows_the_bsp_what_it_is_for(self, world: World, made, route):
        of = world.console if route in addresses.EVERY_HOST else world.owner
        control(world, made, host=world.console, of=of, route=route, known=addresses.OF_THE_CONSOLE[route])


def test_a_password_opens_no_other_host(world: World):
    for of in world.parties:
        for host in world.parties:
            for email, password in of.passwords.items():
                with undone():
                    answer = ask(host.host, "POST", "/sign-in/", form={"login": email, "password": password})
                    opened = answer.status_code == 302 and settings.SESSION_COOKIE_NAME in answer.cookies
                    assert opened is (of is host), f"{email} at {host.host}: {answer.status_code}"


def test_a_cookie_is_of_its_host_alone():
    assert settings.SESSION_COOKIE_DOMAIN is None
    assert settings.CSRF_COOKIE_DOMAIN is None
