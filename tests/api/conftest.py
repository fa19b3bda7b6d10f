"""Systems with keys of their own, calling over HTTP on the host that their key is for."""

import pytest
from django_tenants.utils import schema_context

from audit.record import Actor
from messaging.models import Template, Thread
from tests.api.calling import Caller, make_key
from tests.messaging import meta


@pytest.fixture
def key(utrecht, clock) -> str:
    """Return a key of Utrecht's that may do everything there."""
    return make_key("utrecht", name="Zaaksysteem")


@pytest.fixture
def api(key) -> Caller:
    """Return a caller at Utrecht's API."""
    return Caller(host="utrecht.localhost", key=key)


@pytest.fixture
def bsp(utrecht, clock) -> Caller:
    """Return a caller at the BSP's API that may do everything there."""
    return Caller(host="console.localhost", key=make_key("public", name="Boekhouding"))


@pytest.fixture
def thread(utrecht, clock) -> Thread:
    """Return the open thread of a citizen who wrote to Utrecht just now."""
    with schema_context("utrecht"):
        meta.receive(utrecht, meta.message(utrecht, at=clock.now()))
        return Thread.objects.select_related("contact").get()


@pytest.fixture
def approved(utrecht) -> Template:
    """Return an approved template of Utrecht's."""
    with schema_context("utrecht"):
        template = Template.objects.get(name="vervolg_op_uw_vraag")
        template.status = Template.Status.APPROVED
        template.save()
        return template


@pytest.fixture
def here(utrecht):
    """Put Utrecht's schema on the connection."""
    with schema_context("utrecht"):
        yield


@pytest.fixture
def actor() -> Actor:
    """Return who does what the tests do."""
    return Actor.system("tests")
