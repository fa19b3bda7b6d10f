"""Invitations: a way in that works once, until a moment, and whose link nobody can read from the database."""

import re
from datetime import timedelta
from smtplib import SMTPServerDisconnected
from uuid import UUID

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone
from django_tenants.utils import schema_context

from accounts import invitations, letters, posting
from accounts.invitations import AlreadyThere, NotInvited
from accounts.models import Invitation, Mail, RoleGrant, User
from accounts.roles import UnknownRole
from audit.models import Entry
from audit.record import Actor
from tests.conftest import FROZEN_AT

ADMIN = Actor(schema="utrecht", id="1", name="Bea Beheer")
WORDS = "vier-losse-woorden-hier"


@pytest.fixture(autouse=True)
def _in_utrecht(utrecht, settings):
    settings.SENDS_MAIL = True
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with schema_context("utrecht"):
        yield


def invite(email: str = "Nieuw@Utrecht.example", roles=("AGENT",)) -> Invitation:
    return invitations.invite(email=email, name="Nieuw", roles=list(roles), actor=ADMIN, language="nl", at=FROZEN_AT)


def send(what: Invitation) -> str | None:
    return posting.send(mail_id=Mail.objects.get(user=what.user).id, write=letters.write)


def token() -> str:
    """Return the token in the last mail that left."""
    return re.search(r"/invitation/([\w-]+)/", mail.outbox[-1].body)[1]


def accept(given: str, **other) -> User:
    values = {"name": "Nel Nieuw", "password": WORDS, "at": FROZEN_AT, **other}
    return invitations.accept(token_digest=invitations.digest(given), **values)


def test_who_accepts_has_the_name_the_password_and_the_roles():
    send(invite(roles=["AGENT", "FINANCE"]))
    user = accept(token())
    assert (user.email, user.name, user.check_password(WORDS)) == ("nieuw@utrecht.example", "Nel Nieuw", True)
    assert set(user.role_grants.values_list("role", flat=True)) == {"AGENT", "FINANCE"}
    assert set(user.role_grants.values_list("granted_at", flat=True)) == {FROZEN_AT}


def test_the_mail_says_who_invites_where_and_until_when():
    send(invite())
    (sent,) = mail.outbox
    assert sent.to == ["nieuw@utrecht.example"]
    assert "Bea Beheer nodigt u uit" in sent.body
    assert "gemeente Utrecht" in sent.body
    assert f"http://utrecht.localhost:8000/invitation/{token()}/" in sent.body


def test_the_token_stands_nowhere_in_the_database():
    send(invite())
    given = token()
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'utrecht'")
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT count(*) FROM "{table}" AS t WHERE t::text LIKE %s', [f"%{given}%"])
            assert cursor.fetchone() == (0,), table
    assert bytes(Invitation.objects.get().token_digest) == invitations.digest(given)


def test_it_works_once():
    send(invite())
    accept(token())
    with pytest.raises(NotInvited):
        accept(token(), password="een-ander-wachtwoord")
    assert User.objects.get().check_password(WORDS)


def test_it_ends_in_time():
    invited = invite()
    send(invited)
    then = timezone.now() - timedelta(days=8)
    Invitation.objects.update(invited_at=then, expires_at=then + timedelta(days=7))
    assert invitations.find(token_digest=invitations.digest(token())) is None
    with pytest.raises(NotInvited):
        accept(token())


def test_what_is_withdrawn_works_no_longer_and_is_mailed_no_more():
    invited = invite()
    send(invited)
    invitations.revoke(user_id=invited.user_id, actor=ADMIN, at=FROZEN_AT)
    with pytest.raises(NotInvited):
        accept(token())
    other = invite("ander@utrecht.example")
    invitations.revoke(user_id=other.user_id, actor=ADMIN, at=FROZEN_AT)
    assert send(other) is None
    assert len(mail.outbox) == 1


def test_sent_again_it_has_a_new_link_and_the_old_one_is_dead():
    invited = invite()
    send(invited)
    first = token()
    invitations.invite_again(user_id=invited.user_id, actor=ADMIN, language="en", at=FROZEN_AT)
    with pytest.raises(NotInvited):
        accept(first)
    posting.send(mail_id=Mail.objects.get(state="QUEUED").id, write=letters.write)
    assert "invites you" in mail.outbox[-1].body
    assert accept(token()).has_usable_password()


def test_who_has_a_password_is_not_invited_again():
    send(invite())
    user = accept(token())
    with pytest.raises(NotInvited):
        invitations.invite_again(user_id=user.id, actor=ADMIN, language="nl", at=FROZEN_AT)


def test_an_address_is_invited_once_and_nothing_is_left_of_a_second_time():
    invite()
    with pytest.raises(AlreadyThere):
        invite("NIEUW@utrecht.example", roles=["ADMIN"])
    assert Invitation.objects.count() == Mail.objects.count() == User.objects.count() == 1
    assert set(RoleGrant.objects.values_list("role", flat=True)) == {"AGENT"}


@pytest.mark.parametrize("roles", [[], ["BSP_SUPPORT"], ["MAYOR"]])
def test_a_role_of_another_kind_invites_nobody(roles):
    with pytest.raises(UnknownRole):
        invite(roles=roles)
    assert not User.objects.exists()


def test_each_step_is_in_the_trail_without_the_link():
    invited = invite()
    send(invited)
    accept(token())
    entries = Entry.objects.filter(action__startswith="invitation.").order_by("sequence")
    assert [entry.action for entry in entries] == ["invitation.make", "invitation.accept"]
    assert all(entry.subject == f"user {invited.user_id}" for entry in entries)
    assert not any(token() in f"{entry.subject}{entry.details}" for entry in Entry.objects.all())


class TestSending:
    def test_it_leaves_after_the_commit_by_a_worker_that_is_told_ids_alone(
        self, monkeypatch, django_capture_on_commit_callbacks
    ):
        told = []
        monkeypatch.setattr("celery.current_app.send_task", lambda name, **more: told.append((name, more["kwargs"])))
        with django_capture_on_commit_callbacks(execute=True):
            invite()
            assert told == []
        ((name, given),) = told
        assert (name, given["schema_name"]) == ("accounts.tasks.send_mail", "utrecht")
        assert UUID(given["mail_id"]) == Mail.objects.get().id
        assert set(given) == {"schema_name", "mail_id"}
        assert mail.outbox == []

    def test_a_mail_is_sent_once(self):
        invited = invite()
        assert (send(invited), send(invited)) == ("SENT", None)
        assert len(mail.outbox) == 1

    def test_a_server_that_is_away_is_tried_again_and_then_given_up(self, monkeypatch):
        def away(*_):
            raise SMTPServerDisconnected

        monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", away)
        invited = invite()
        waits = []
        for _attempt in range(posting.MOST_ATTEMPTS):
            state = send(invited)
            row = Mail.objects.get()
            waits.append(round((row.due_at - timezone.now()).total_seconds() / 60))
            Mail.objects.update(due_at=timezone.now())
        assert waits[:4] == [1, 2, 4, 8]
        assert (state, row.state) == ("FAILED", "FAILED")
        monkeypatch.undo()
        invitations.invite_again(user_id=invited.user_id, actor=ADMIN, language="nl", at=FROZEN_AT)
        assert send(invited) == "SENT"

    def test_without_a_mail_server_it_says_so(self, settings):
        settings.SENDS_MAIL = False
        assert send(invite()) == "FAILED"

    def test_what_a_dead_worker_had_in_hand_is_sent_when_its_lease_ended(self):
        invited = invite()
        Mail.objects.update(state="SENDING", attempts=1, due_at=timezone.now() + timedelta(minutes=1))
        assert send(invited) is None
        Mail.objects.update(due_at=timezone.now() - timedelta(seconds=1))
        assert send(invited) == "SENT"

    def test_the_sweep_finds_what_is_due_in_every_schema(self, delft):
        first = invite()
        with schema_context("delft"):
            invitations.invite(
                email="a@delft.example", name="A", roles=["ADMIN"], actor=ADMIN, language="nl", at=FROZEN_AT
            )
            second_id = Mail.objects.get().id
        found = posting.due(schema_names=["public", "utrecht", "delft"])
        assert [(each.schema_name, each.mail_id) for each in found] == [
            ("utrecht", Mail.objects.get(user=first.user).id),
            ("delft", second_id),
        ]
