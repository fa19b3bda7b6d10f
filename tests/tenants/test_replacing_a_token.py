"""`manage.py replace_token`: a number whose token Meta takes no more gets another one, once Meta takes that."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django_tenants.utils import schema_context

from audit.models import Entry
from tenants.models import Connection, Number
from tests.messaging import meta_sandbox


@pytest.fixture(scope="module")
def running():
    with meta_sandbox.running() as made:
        yield made


def test_a_token_is_replaced_by_one_that_opens_the_number_and_by_no_other(
    running, utrecht, delft, settings, monkeypatch
):
    settings.META_GRAPH_URL = running.url
    number, other = utrecht.numbers.get(), delft.numbers.get()
    for each, token in ((number, "nieuw-teken"), (other, "teken-van-delft")):
        each.set_access_token(token)
        each.save()
        running.knows(each.municipality)
    number.set_access_token("ingetrokken-teken")
    number.save()
    kept = Connection.objects.create(onboarding=utrecht.onboarding, phone_number_id=number.phone_number_id)
    connection.set_schema_to_public()

    def replace(token: str, phone_number_id: str = number.phone_number_id) -> tuple[int, str]:
        out = io.StringIO()
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{token}\n"))
        try:
            call_command("replace_token", phone_number_id, stdout=out)
        except CommandError as error:
            return error.returncode, str(error)
        return 0, out.getvalue()

    def in_use() -> list[str | None]:
        return [Number.objects.get(id=number.id).access_token(), Connection.objects.get(id=kept.id).access_token()]

    before = in_use()
    assert before == ["ingetrokken-teken", None]
    for given, code, said in (
        (("",), 2, "holds no token"),
        (("nieuw-teken", "1000000000999"), 2, "no municipality has such a number"),
        (("ingetrokken-teken",), 2, "code 190"),
        (("teken-van-delft",), 2, "code 100"),
        (("met spatie",), 2, "holds no token"),
    ):
        answered = replace(*given)
        assert (answered[0], said in answered[1]) == (code, True), answered
        assert in_use() == before
    settings.META_GRAPH_URL = "http://127.0.0.1:9"
    assert replace("nieuw-teken")[0] == 3
    settings.META_GRAPH_URL = running.url
    for _time in range(2):
        code, answer = replace("nieuw-teken")
        assert (code, json.loads(answer)) == (0, {"schema": "utrecht", "phone_number_id": number.phone_number_id})
        assert in_use() == ["nieuw-teken", "nieuw-teken"]
    assert Number.objects.get(id=other.id).access_token() == "teken-van-delft"
    for schema in ("public", "utrecht"):
        with schema_context(schema):
            made = Entry.objects.filter(action="number.token")
            assert [each.actor_name for each in made] == ["replace_token"] * 2
            assert "teken" not in json.dumps([each.details for each in made])
