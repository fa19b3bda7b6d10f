"""The last admin is not lost: not by two at the same moment, and not by the provider that others come by."""

from threading import Barrier, Thread

import pytest
from django.db import connection
from django_tenants.utils import schema_context

from accounts import people
from accounts.making import make_user
from accounts.models import RoleGrant, SignOn, User
from audit.record import Actor
from tests.conftest import FROZEN_AT

ACTOR = Actor(schema="utrecht", id="1", name="Bea Beheer")


def make(name: str) -> User:
    return make_user(
        schema_name="utrecht",
        email=f"{name}@utrecht.example",
        name=name,
        roles=["ADMIN"],
        password="een-lang-wachtwoord-1",
        actor=ACTOR,
        at=FROZEN_AT,
    ).user


def test_who_is_kept_for_the_day_that_the_provider_fails_stays(utrecht):
    kept, other = make("een"), make("twee")
    with schema_context("utrecht"):
        SignOn.objects.create(
            is_on=True,
            issuer="https://login.example",
            client_id="x",
            client_secret="x",
            groups_claim="groups",
            local_admin=kept,
            changed_at=FROZEN_AT,
        )
        with pytest.raises(people.LastAdmin):
            people.deactivate(user_id=kept.id, actor=ACTOR, at=FROZEN_AT)
        with pytest.raises(people.LastAdmin):
            people.change_roles(user_id=kept.id, roles=["AGENT"], actor=ACTOR, at=FROZEN_AT)
        assert User.objects.get(id=kept.id).is_active
        people.deactivate(user_id=other.id, actor=ACTOR, at=FROZEN_AT)


def test_two_at_the_same_moment_do_not_lose_the_last(utrecht, committing_db):
    for name in ("een", "twee"):
        make(name)
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
