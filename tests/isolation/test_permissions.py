"""The one table of permissions, held to every page and operation there is: the list comes from the resolvers.

Each role asks each page, each scope each operation, by every method that it knows; and what they are answered must be
what accounts/permissions.py says. An address without a rule fails here, as does a permission that opens nothing. The
table itself stands a second time in docs/permissions.md, for people: the two must agree.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.permissions import OF_SCOPES, ROLES_WITH, Permission, permissions_with
from accounts.roles import BspRole, MunicipalRole
from accounts.scopes import BSP_SCOPES, TENANT_SCOPES
from api.views import ApiView
from config.local.folders import ROOT
from tests.isolation import addresses
from tests.isolation.addresses import API, CONSOLE_URLS, OPEN, PAGE, TENANT_URLS, Address
from tests.isolation.rows import Party
from tests.isolation.world import ALL, Asked, World, ask_all, undone
from web.frame import DOORS

KINDS = {TENANT_URLS: (addresses.OF_MUNICIPALITIES, False), CONSOLE_URLS: (addresses.OF_THE_CONSOLE, True)}
PAGE_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE")
NO_RULE = "say who may: @requires(Permission.…) on a page, scope = … on an operation, OPEN in tests/isolation"


@cache
def views(urlconf: str) -> dict[str, Any]:
    """Return the view of every address that a resolver knows."""
    return dict(_views(get_resolver(urlconf).url_patterns))


def _views(patterns: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for each in patterns:
        route = prefix + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from _views(each.url_patterns, route)
        else:
            assert isinstance(each, URLPattern)
            yield route, each.callback


def named(patterns: Any, name: str) -> list[Any]:
    """Return the views of the addresses that have a name."""
    found = []
    for each in patterns:
        if isinstance(each, URLResolver):
            found += named(each.url_patterns, name)
        elif each.name == name:
            found.append(each.callback)
    return found


def rules(view: Any) -> dict[str, Permission | None]:
    """Return the permission that each method of a view asks for; none known: an empty dictionary."""
    made_by = getattr(view, "cls", None)
    if made_by is not None and issubclass(made_by, ApiView):
        operation = made_by()
        methods = [name.upper() for name in operation.http_method_names if name == "head" or hasattr(operation, name)]
        return {method: OF_SCOPES[operation.scope_of(method)] for method in methods}
    if hasattr(view, "permission"):
        return dict.fromkeys(PAGE_METHODS, view.permission)
    return {}


def cases() -> list[Any]:
    """Return every address of both kinds of host."""
    return [pytest.param(urlconf, route, id=f"{urlconf}/{route}") for urlconf in KINDS for route in views(urlconf)]


def guarded() -> list[Any]:
    """Return those of them that ask for a session or a key; what is open test_isolation.py holds."""
    return [case for case in cases() if (KINDS[case.values[0]][0].get(case.values[1]) or Address(PAGE)).door != OPEN]


def known(urlconf: str, route: str) -> Address:
    table, _ = KINDS[urlconf]
    assert route in table, f"the address {route!r} is new: enter it in tests/isolation/addresses.py"
    return table[route]


def parties(world: World, urlconf: str) -> tuple[Party, Party]:
    """Return on whose host is asked, and with whose ids."""
    return (world.console, world.owner) if urlconf == CONSOLE_URLS else (world.owner, world.owner)


class TestEveryAddress:
    @pytest.mark.parametrize(("urlconf", "route"), cases())
    def test_it_has_a_rule(self, urlconf, route):
        view, door = views(urlconf)[route], known(urlconf, route).door
        found = rules(view)
        if door == OPEN:
            assert found == {}, "it asks for a permission, so it is not open"
            return
        assert found, NO_RULE
        assert (door == API) is (getattr(view, "cls", None) is not None)

    @pytest.mark.parametrize(("urlconf", "route"), guarded())
    def test_it_opens_to_whom_the_table_says(self, urlconf, route, world: World):
        address, found = known(urlconf, route), rules(views(urlconf)[route])
        host, ids_of = parties(world, urlconf)
        wrong, counted, unknown = [], set(), set()
        for who, may, asked in self._askers(urlconf, route, address, found, host, ids_of):
            if asked.method in unknown:
                continue
            with undone():
                (answer,) = ask_all([asked])
            if answer.status_code == 405:  # before it is looked at who asks: nobody may
                unknown.add(asked.method)
                continue
            counted.add((who, may))
            signed_out = answer.headers.get("Location", "").startswith("/sign-in/?")  # by `requires`
            if (answer.status_code != 403) is not may or answer.status_code == 401 or signed_out:
                wrong.append(f"{asked.method} by {who}: {answer.status_code}, and may is {may}")
        assert not wrong, "\n".join(wrong)
        assert {who for who, _ in counted} == {*(host.sessions if address.door == PAGE else host.keys)}
        assert any(may for _, may in counted)

    def _askers(self, urlconf, route, address, found, host, ids_of) -> Iterator[tuple[str, bool, Asked]]:
        _, is_bsp = KINDS[urlconf]
        path, sent = address.path(route, ids_of), address.sent(ids_of)
        for method, permission in found.items():
            if address.door == PAGE:
                for role, session in host.sessions.items():
                    roles = (BspRole if is_bsp else MunicipalRole).values if role == ALL else [role]
                    may = permission is None or permission in permissions_with(roles=roles, is_bsp=is_bsp)
                    yield role, may, Asked(host=host.host, method=method, path=path, session=session, **sent)
            else:
                for scope, key in host.keys.items():
                    may = scope == ALL or OF_SCOPES[scope] is permission
                    yield scope, may, Asked(host=host.host, method=method, path=path, key=key, **sent)

    @pytest.mark.parametrize(("urlconf", "route"), guarded())
    def test_a_key_opens_no_page_and_a_session_no_operation(self, urlconf, route, world: World):
        address, (host, ids_of) = known(urlconf, route), parties(world, urlconf)
        signed = {"key": host.keys[ALL]} if address.door == PAGE else {"session": host.sessions[ALL]}
        path, sent = address.path(route, ids_of), address.sent(ids_of)
        with undone():
            (answer,) = ask_all([Asked(host=host.host, method=address.method, path=path, **signed, **sent)])
        if address.door == PAGE:
            assert (answer.status_code, answer.headers["Location"][:9]) == (302, "/sign-in/")
        else:
            assert answer.status_code == 401


class TestTheTable:
    @pytest.mark.parametrize("permission", list(Permission))
    def test_each_permission_opens_something_and_somebody_has_it(self, permission):
        assert ROLES_WITH[permission]
        asked_for = {
            rule for urlconf in KINDS for view in views(urlconf).values() for rule in rules(view).values() if rule
        }
        if permission == Permission.READ_ALL_TEAMS:
            return  # it opens no page, but widens what each shows: web/access.py asks (tests/web/test_teams.py)
        assert permission in asked_for, "no page and no operation asks for it: take it out"

    def test_each_scope_is_a_permission(self):
        assert set(OF_SCOPES) == TENANT_SCOPES | BSP_SCOPES

    @pytest.mark.parametrize("role", MunicipalRole.values)
    def test_a_role_of_a_municipality_is_nothing_at_the_console(self, role):
        assert permissions_with(roles=[role], is_bsp=True) == frozenset()

    @pytest.mark.parametrize("role", BspRole.values)
    def test_a_role_of_the_bsp_is_nothing_at_a_municipality(self, role):
        assert permissions_with(roles=[role], is_bsp=False) == frozenset()

    @pytest.mark.parametrize(("name", "permission"), [(name, permission) for name, _, permission in DOORS])
    def test_the_navigation_asks_for_what_the_page_asks_for(self, name, permission):
        found = [view for urlconf in KINDS for view in named(get_resolver(urlconf).url_patterns, name)]
        assert found
        assert {view.permission for view in found} == {permission}

    def test_the_page_for_people_says_the_same(self):
        text = (ROOT / "docs" / "permissions.md").read_text(encoding="utf-8")
        written: dict[str, set[str]] = {}
        for table in re.split(r"\n\n", text):
            lines = [re.split(r"\s*\|\s*", line.strip("| ")) for line in table.splitlines() if line.startswith("| ")]
            if len(lines) < 3 or lines[0][0] != "permission":
                continue
            for row in lines[2:]:
                roles = {role for role, mark in zip(lines[0][2:], row[2:], strict=False) if mark == "yes"}
                written.setdefault(row[0].strip("`"), set()).update(roles)
        assert written == {permission.value: {str(role) for role in roles} for permission, roles in ROLES_WITH.items()}
        for scope, permission in OF_SCOPES.items():
            assert f"| `{scope}` | `{permission}` |" in text
