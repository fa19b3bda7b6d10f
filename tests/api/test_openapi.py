"""The OpenAPI documents: made without a warning, valid, as committed, and shown on a page of our own."""

import json
import re
from io import StringIO

import jsonschema_rs
import pytest
from django.core.management import call_command
from drf_spectacular.drainage import GENERATOR_STATS, reset_generator_stats

from api import openapi
from api.doors import DOORS
from api.management.commands.write_openapi import written
from tests.api.calling import Caller


@pytest.fixture(params=DOORS, ids=lambda door: door.name)
def door(request):
    return request.param


class TestDocument:
    def test_it_is_made_without_a_warning(self, door, capfd):
        reset_generator_stats()
        openapi._generated.__wrapped__(door)
        assert not GENERATOR_STATS, capfd.readouterr().err

    def test_its_schemas_are_schemas(self, door):
        made = openapi.document(door=door, server="https://utrecht.example.nl")
        for name, schema in made["components"]["schemas"].items():
            jsonschema_rs.Draft202012Validator(
                {"$schema": "https://json-schema.org/draft/2020-12/schema", "components": made["components"], **schema}
            )
            assert schema["type"] == "object", name

    @pytest.mark.parametrize("path", list(written()), ids=lambda path: path.name)
    def test_it_is_as_committed(self, path):
        assert json.loads(path.read_text()) == json.loads(written()[path]), "run: manage.py write_openapi"
        call_command("write_openapi", check=True, stdout=StringIO())

    def test_what_a_caller_writes_may_hold_nothing_unknown(self):
        made = openapi.document(door=DOORS[0], server="https://utrecht.example.nl")
        for methods in made["paths"].values():
            for operation in methods.values():
                for media in operation.get("requestBody", {}).get("content", {}).values():
                    if media["schema"].get("format") == "binary":
                        continue  # a file
                    name = media["schema"]["$ref"].rpartition("/")[2]
                    assert made["components"]["schemas"][name]["additionalProperties"] is False


class TestPage:
    @pytest.mark.parametrize(
        ("host", "words"), [("utrecht.localhost", "sendMessage"), ("console.localhost", "getInvoice")]
    )
    def test_it_shows_every_address_to_everyone(self, utrecht, host, words):
        answer = Caller(host).get("/docs/")
        page = answer.content.decode()
        assert answer.status_code == 200
        made = Caller(host).get("/openapi.json").json()
        for path in made["paths"]:
            assert path in page
        for name in made["components"]["schemas"]:
            assert f'id="object-{name}"' in page
        assert f'id="{words}"' in page

    def test_it_takes_nothing_from_elsewhere(self, utrecht):
        answer = Caller("utrecht.localhost").get("/docs/")
        page = answer.content.decode()
        assert "<script" not in page
        assert re.findall(r'(?:src|action)="', page) == []
        assert re.findall(r'href="(https?:)', page) == []
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'unsafe-inline'")

    def test_every_link_on_it_leads_somewhere(self, utrecht):
        page = Caller("utrecht.localhost").get("/docs/").content.decode()
        targets = set(re.findall(r'id="([^"]+)"', page))
        links = set(re.findall(r'href="#([^"]+)"', page))
        assert links
        assert links <= targets
