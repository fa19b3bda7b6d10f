"""Two admins who take the role from each other at the same moment: one of them stays."""

from threading import Barrier, Thread

from django.db import connection
from django_tenants.utils import schema_context

from accounts import people
from accounts.making import make_user
from accounts.models import RoleGrant, User
from audit.record import Actor
from tests.conftest import FROZEN_AT

ACTOR = Actor(schema="utrecht", id="1", name="Bea Beheer")


def test_two_at_the_same_moment_do_not_lose_the_last(utrecht, committing_db):
    for name in ("een", "twee"):
        make_user(
            schema_name="utrecht",
            email=f"{name}@utrecht.example",
            name=name,
            roles=["ADMIN"],
            password="een-lang-wachtwoord-1",
            actor=ACTOR,
            at=FROZEN_AT,
        )
    with schema_context("utrecht"):
        ids = list(User.objects.values_list("id", flat=True))
    start, refused = Barrier(2), []

    def take(user_id) -> None:
        try:
            with schema_context("utrecht"):
                start.wait(timeout=10)
                people.change_roles(user_id=user_id, roles=["AGENT"], actor=ACTOR, at=FROZEN_AT)
        except people.LastAdmin:
            refused.append(user_id)
        finally:
            connection.close()

    threads = [Thread(target=take, args=[user_id]) for user_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    with schema_context("utrecht"):
        left = list(RoleGrant.objects.filter(role="ADMIN").values_list("user_id", flat=True))
    assert len(refused) == 1
    assert left == refused
