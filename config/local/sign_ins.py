"""Who can sign in to the demo: the BSP's support and finance, and each municipality's admin, supervisor and agent.

Passwords are made anew each time and stand in the demo's report alone.
"""

import secrets
from collections.abc import Iterable
from typing import Any

CONSOLE = (("BSP_SUPPORT", "Sanne Support"), ("BSP_FINANCE", "Farid Finance"))
MUNICIPAL = (
    ("ADMIN", "beheer", "Bea Beheer"),
    ("SUPERVISOR", "supervisor", "Sem Super"),
    ("AGENT", "kcc", "Kim Kanaal"),
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
    from accounts.making import make_user
    from audit.record import Actor
    from tenants import clock

    password = secrets.token_urlsafe(9)
    make_user(
        schema_name=schema_name,
        email=email,
        name=name,
        roles=[role],
        password=password,
        actor=Actor.system("demo"),
        at=clock.now(),
    )
    return {
        "role": role,
        "url": f"http://{host}.localhost:{port}/",
        "email": email,
        "password": password,
        "totp_secret": None,
    }
