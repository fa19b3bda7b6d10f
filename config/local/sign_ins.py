"""Who can sign in to the demo: one person of each role, at the BSP and in each municipality.

Passwords are made anew each time and stand in the demo's report alone; so do the secrets of the apps that those have
who must have a second step. `python -m config.local code SECRET` shows what such an app shows now.
"""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Iterable
from typing import Any

CONSOLE = (
    ("BSP_SUPPORT", "Sanne Support"),
    ("BSP_FINANCE", "Farid Finance"),
    ("BSP_OPERATOR", "Otto Operator"),
    ("BSP_ONBOARDING", "Olga Onboarding"),
)
MUNICIPAL = (
    ("ADMIN", "beheer", "Bea Beheer"),
    ("SUPERVISOR", "supervisor", "Sem Super"),
    ("AGENT", "kcc", "Kim Kanaal"),
    ("FINANCE", "financien", "Fien Financiën"),
    ("PRIVACY_OFFICER", "privacy", "Pia Privé"),
)


def make_sign_ins(*, schema_names: Iterable[str], port: str) -> list[dict[str, Any]]:
    """Make the demo's users; return how to sign in as each: role, url, email, password, totp_secret."""
    made = [
        _make(
            schema_name="public",
            host="console",
            email=f"{role.split('_')[1].lower()}@bsp.example",
            role=role,
            name=name,
            port=port,
        )
        for role, name in CONSOLE
    ]
    for schema_name in schema_names:
        made += [
            _make(
                schema_name=schema_name,
                host=schema_name,
                email=f"{word}@{schema_name}.example",
                role=role,
                name=name,
                port=port,
            )
            for role, word, name in MUNICIPAL
        ]
    return made


def _make(*, schema_name: str, host: str, email: str, role: str, name: str, port: str) -> dict[str, Any]:
    from django_tenants.utils import schema_context

    from accounts import strength
    from accounts.making import make_user, set_up_app
    from audit.record import Actor
    from tenants import clock

    password = secrets.token_urlsafe(9)
    made = make_user(
        schema_name=schema_name,
        email=email,
        name=name,
        roles=[role],
        password=password,
        actor=Actor.system("demo"),
        at=clock.now(),
    )
    with schema_context(schema_name):
        needs_app = strength.is_required(user=made.user)
    return {
        "role": role,
        "url": f"http://{host}.localhost:{port}/",
        "email": email,
        "password": password,
        "totp_secret": set_up_app(schema_name=schema_name, user=made.user) if needs_app else None,
    }


def code(*, secret: str) -> str:
    """Return what an app with this secret shows now (RFC 6238).  Raises ValueError: it is no secret."""
    key = base64.b32decode(secret.upper() + "=" * (-len(secret) % 8))
    digest = hmac.digest(key, (int(time.time()) // 30).to_bytes(8, "big"), hashlib.sha1)
    at = digest[-1] & 15
    return f"{(int.from_bytes(digest[at : at + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"
