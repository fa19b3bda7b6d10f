"""What every test may use: a database that is rolled back or its own, two municipalities, a frozen clock, no network.

The database server and the environment come from config/local/testing.py. Utrecht and Delft are made once, in the
template that all test databases are copied from.
"""

import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from config.local import databases, testing
from tests.own_database import OwnDatabase
from tests.stripe_key import Outside, key_of_test_mode

FROZEN_AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday morning, 10:00 in Amsterdam
MADE_AT = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
MUNICIPALITIES = {"utrecht": ("Utrecht", "GM0344"), "delft": ("Delft", "GM0503")}

if testing.SERVER not in os.environ:
    raise pytest.UsageError("run the tests with `make test`, or with: python -m pytest -p config.local.testing")
key_of_test_mode(environ=os.environ)  # refuses a live one before anything runs


@pytest.fixture(scope="session")
def template(django_db_blocker) -> str:
    """Return the name of the migrated database with both municipalities, made unless one fits the code already."""
    server, prefix = os.environ[testing.SERVER], os.environ[testing.TEMPLATE_PREFIX]
    name = testing.template_name(prefix=prefix)
    with testing.template_turn():
        found = databases.listed(server=server)
        if name not in found:
            for old in found:
                if old.startswith(prefix):
                    databases.drop(server=server, name=old)
            databases.make(server=server, name=prefix + "making")
            with django_db_blocker.unblock():
                _fill(name=prefix + "making")
            databases.rename(server=server, name=prefix + "making", to=name)
    return name


def _fill(*, name: str) -> None:
    """Migrate a database and make the two municipalities in it."""
    from django.core.management import call_command
    from django.db import connection

    from audit.record import Actor
    from tenants import provisioning

    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        call_command("migrate_schemas", shared=True, interactive=False, verbosity=0)
        for schema_name, (full_name, cbs_code) in MUNICIPALITIES.items():
            digits = cbs_code.removeprefix("GM")
            provisioning.create(
                schema_name=schema_name,
                name=full_name,
                cbs_code=cbs_code,
                waba_id=f"200000000{digits}",
                phone_number_id=f"100000000{digits}",
                display_phone_number=f"+3197010{digits}00",
                access_token=f"token-of-{schema_name}",
                actor=Actor.system("tests"),
                at=MADE_AT,
            )
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker, request) -> Iterator[None]:
    """Give this process a copy of the template, in place of the database that pytest-django would make."""
    from django.db import connection

    with django_db_blocker.unblock():
        name = request.getfixturevalue("template")
        databases.make(server=os.environ[testing.SERVER], name=connection.settings_dict["NAME"], template=name)
        connection.set_schema_to_public()
        yield
        connection.close()


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """Leave the settings alone: each process was pointed at its own database before they were read."""


@pytest.fixture(scope="session")
def own_database(template) -> Iterator[OwnDatabase]:
    """Return this process's database for tests that commit, which is made when the first of them asks for it."""
    from django.db import connection

    name = f"{connection.settings_dict['NAME']}_own"
    own = OwnDatabase(server=os.environ[testing.SERVER], template=template, name=name)
    yield own
    own.drop()


@pytest.fixture
def committing_db(own_database, django_db_blocker, request, settings) -> Iterator[OwnDatabase]:
    """Give the test a database in which commits are real, as the template is; it has that to itself."""
    from django.db import connection

    if "db" in request.fixturenames or "transactional_db" in request.fixturenames:
        pytest.fail("a test uses either db or committing_db")
    before = connection.settings_dict["NAME"]
    own_database.ready()
    with django_db_blocker.unblock():
        connection.close()
        connection.settings_dict["NAME"] = own_database.name
        settings.DATABASE_URL = own_database.url
        try:
            connection.set_schema_to_public()
            yield own_database
        finally:
            connection.close()
            connection.settings_dict["NAME"] = before
            own_database.end_connections()


@pytest.fixture
def utrecht(request):
    """Return the municipality Utrecht."""
    return _municipality(request, "utrecht")


@pytest.fixture
def delft(request):
    """Return the municipality Delft."""
    return _municipality(request, "delft")


def _municipality(request: pytest.FixtureRequest, schema_name: str):
    if "committing_db" not in request.fixturenames:
        request.getfixturevalue("db")
    else:
        request.getfixturevalue("committing_db")
    from tenants.models import Municipality

    return Municipality.objects.get(schema_name=schema_name)


class FrozenClock:
    """The domain's time in a test: it stands still until the test moves it."""

    def __init__(self, at: datetime) -> None:
        """Stand still at the moment."""
        self.at = at

    def now(self) -> datetime:
        """Return the moment at which the clock stands."""
        return self.at

    def move(self, **duration: float) -> datetime:
        """Move on by a duration, given as timedelta takes it; return the new moment."""
        self.at += timedelta(**duration)
        return self.at

    def set(self, at: datetime) -> datetime:
        """Stand still at another moment."""
        self.at = at
        return at


@pytest.fixture
def clock(monkeypatch) -> FrozenClock:
    """Freeze tenants.clock; time that the operating system keeps goes on."""
    from tenants import clock as domain_clock

    frozen = FrozenClock(FROZEN_AT)
    monkeypatch.setattr(domain_clock, "now", frozen.now)
    return frozen


@pytest.fixture(autouse=True, scope="session")
def _this_machine_only() -> Iterator[None]:
    """Refuse every connection that leaves this machine, but for those to Stripe when its test mode is asked."""
    connect, connect_ex, found_of = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo
    outside = Outside(environ=os.environ)

    def getaddrinfo(host, *args, **kwargs):
        found = found_of(host, *args, **kwargs)
        outside.note(host=host, found=found)
        return found

    def checked(original):
        def attempt(self, address):
            if outside.may_reach(address):
                return original(self, address)
            if self.family in {socket.AF_INET, socket.AF_INET6} and address[0] not in {"127.0.0.1", "::1", "localhost"}:
                raise AssertionError("a test tried to reach another machine than this one")
            return original(self, address)

        return attempt

    patch = pytest.MonkeyPatch()
    patch.setattr(socket, "getaddrinfo", getaddrinfo)
    patch.setattr(socket.socket, "connect", checked(connect))
    patch.setattr(socket.socket, "connect_ex", checked(connect_ex))
    yield
    patch.undo()
