"""A system that calls the API, and the keys that it calls with."""

import json
from dataclasses import dataclass
from typing import Any

from django.test import Client
from django_tenants.utils import schema_context

from accounts.keys import create_key
from accounts.scopes import BSP_SCOPES, TENANT_SCOPES
from audit.record import Actor
from tests.conftest import MADE_AT

BASE = "/api/v1"


def make_key(schema: str, *, name: str = "System", scopes: Any = None, **options: Any) -> str:
    """Make a key in a schema and return its secret; without scopes it may do everything there."""
    with schema_context(schema):
        wanted = scopes or (BSP_SCOPES if schema == "public" else TENANT_SCOPES)
        made = create_key(name=name, scopes=wanted, actor=Actor.system("tests"), at=MADE_AT, **options)
        return made.secret


@dataclass
class Caller:
    """One system: the host that it calls, and its key."""

    host: str
    key: str | None = None

    def get(self, path: str, **options: Any):
        """Read from an address below the base path."""
        return self.call("GET", path, **options)

    def post(self, path: str, body: Any, **options: Any):
        """Send a body as JSON."""
        return self.call("POST", path, body=body, **options)

    def call(self, method: str, path: str, *, body: Any = None, raw: bytes | None = None, **headers: str):
        """Call with any method; headers: with _ for -."""
        client = Client(raise_request_exception=False)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.key is not None:
            sent.setdefault("Authorization", f"Bearer {self.key}")
        content_type = sent.pop("Content-Type", "application/json")
        data = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        return client.generic(
            method, f"{BASE}{path}", data, content_type=content_type, headers={"Host": self.host, **sent}
        )
