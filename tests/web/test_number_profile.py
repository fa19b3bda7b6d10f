"""The profile that citizens see of a number: read and changed at Meta, here the sandbox, over HTTP."""

import pytest
from django_tenants.utils import schema_context

from audit.models import Entry
from tests.messaging import meta_sandbox

GIVEN = {
    "about": "Gemeente Utrecht",
    "description": "Stel hier uw vraag.",
    "address": "Stadsplateau 1, Utrecht",
    "email": "info@utrecht.example",
    "website": "https://www.utrecht.example/",
}


@pytest.fixture(scope="module")
def running():
    with meta_sandbox.running() as made:
        yield made


@pytest.fixture
def sandbox(running, utrecht, settings):
    number = utrecht.numbers.get()
    number.set_access_token("token-of-utrecht")
    number.save()
    running.knows(utrecht)
    settings.META_GRAPH_URL = running.url
    return running


def outcomes() -> list[str]:
    with schema_context("utrecht"):
        return list(
            Entry.objects.filter(action="number.profile").order_by("sequence").values_list("outcome", flat=True)
        )


def test_it_is_read_changed_and_on_record_and_what_is_wrong_is_said(sandbox, utrecht, people, settings):
    number, admin = utrecht.numbers.get(), people("utrecht", "ADMIN")
    path = f"/numbers/{number.phone_number_id}/profile/"
    assert path in admin.get("/numbers/").content.decode()
    page = admin.post(path, GIVEN, follow=True).content.decode()
    assert all(value in page for value in GIVEN.values())
    kept = sandbox.sandbox.world.numbers[number.phone_number_id].profile
    assert (kept["about"], kept["websites"]) == ("Gemeente Utrecht", ["https://www.utrecht.example/"])
    assert outcomes() == ["OK"]
    for wrong in ({"about": ""}, {"about": "x" * 140}, {"email": "geen"}, {"website": "http://utrecht.example"}):
        answer = admin.post(path, {**GIVEN, **wrong})
        assert answer.status_code == 422, wrong
        assert f'id="wrong-{next(iter(wrong))}"' in answer.content.decode()
    assert outcomes() == ["OK"], "Meta was not asked"
    settings.META_GRAPH_URL = "http://127.0.0.1:9"
    away = admin.post(path, {**GIVEN, "about": "Anders"})
    assert away.status_code == 503
    assert 'value="Anders"' in away.content.decode(), "what was typed stays"
    assert outcomes() == ["OK", "OK", "FAILED"]
    assert admin.get(path).status_code == 503
    assert admin.get("/numbers/1/profile/").status_code == 404
    supervisor = people("utrecht", "SUPERVISOR")
    assert supervisor.get(path).status_code == 403
    assert path not in supervisor.get("/numbers/").content.decode()
