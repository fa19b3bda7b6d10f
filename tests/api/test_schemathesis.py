"""Both REST doors, tried by a machine with what their documents allow and with what they forbid.

Bounded and derandomised: the same requests each time. Every answer must be one that the document names, of the shape
that it says; what it allows must be taken, what it forbids must be refused, and nothing may answer 500.
"""

import json
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

from api.doors import BSP, DOORS, TENANT
from api.openapi import document
from tests.api.calling import Caller

EXAMPLES = 20
OPERATIONS = [
    pytest.param(door, path, method, id=f"{door.name} {operation['operationId']}")
    for door in DOORS
    for path, methods in document(door=door, server="http://localhost")["paths"].items()
    for method, operation in methods.items()
]


class OnHost:
    """The platform as a WSGI application that is always called on one host."""

    def __init__(self, host: str) -> None:
        self.host, self.application = host, WSGIHandler()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Answer one request, in the test's own transaction: its connection must outlive the request."""
        for signal in (request_started, request_finished):
            signal.disconnect(close_old_connections)
        try:
            answer = self.application({**environ, "HTTP_HOST": self.host}, start_response)
            body = [b"".join(answer)]
            answer.close()
            return body
        finally:
            for signal in (request_started, request_finished):
                signal.connect(close_old_connections)


@pytest.fixture
def callers(api: Caller, bsp: Caller, thread, approved) -> dict[str, Caller]:
    return {TENANT.name: api, BSP.name: bsp}


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["allowed", "forbidden"])
@pytest.mark.parametrize(("door", "path", "method"), OPERATIONS)
def test_it_does_what_its_document_says(callers, door, path, method, mode, caplog):
    caplog.set_level("CRITICAL")
    caller = callers[door.name]
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", OnHost(caller.host))
    operation = schema[path][method.upper()]
    tried = []

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def attempt(case: schemathesis.Case) -> None:
        answer = case.call_and_validate(headers={"Authorization": f"Bearer {caller.key}"})
        tried.append(answer.status_code)

    if mode is GenerationMode.NEGATIVE and not (operation.query or operation.body or operation.path_parameters):
        pytest.skip("there is nothing in it that could be wrong")
    attempt()
    assert tried


def test_what_its_document_allows_is_really_taken(callers):
    """The control: at least one of the machine's own requests to send is carried out, so that the rest is worth it."""
    caller = callers["tenant"]
    made = caller.get("/openapi.json").json()
    assert json.dumps(made).count("operationId") == len([one for one in OPERATIONS if one.values[0] is TENANT])
    body = {"recipient": {"phoneNumber": "+31697000001"}, "text": "!"}
    assert caller.post("/messages", body).status_code == 201
