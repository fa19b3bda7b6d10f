"""Break-glass: asked for, decided, handed over, opened once, and over by its time or by anybody's hand."""

from datetime import UTC, datetime, timedelta

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core import mail
from django.db import IntegrityError, transaction
from django_tenants.utils import schema_context

from accounts import breakglass, entering, entry_mail, people
from accounts.breakglass import AlreadyAsked, InvalidRequest, TooLate
from accounts.entering import NoSecondStep, WrongToken, admit, hand_over, is_inside
from accounts.making import make_user
from accounts.models import RoleGrant, User
from accounts.permissions import OF_ENTRIES, Permission, permissions_of
from accounts.roles import MunicipalRole
from audit.models import Entry
from audit.record import Actor, record
from tenants.models import BreakGlass, Municipality
from tests.conftest import MADE_AT

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
SYSTEM = Actor.system("tests")


@pytest.fixture(autouse=True)
def _quick_passwords(settings) -> None:
    """Hash passwords in no time: nobody here is asked for one."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def person(schema: str, role: str, *, second_step: bool = True) -> User:
    """Return somebody who works at a municipality or at the BSP."""
    made = make_user(
        schema_name=schema,
        email=f"{role.lower()}@{schema}.example",
        name=f"{role.title()} {schema}",
        roles=[role],
        password="x",
        actor=SYSTEM,
        at=MADE_AT,
    )
    if second_step:
        with schema_context(schema):
            TOTP.activate(made.user, generate_totp_secret())
    return made.user


@pytest.fixture
def support(utrecht) -> User:
    return person("public", "BSP_SUPPORT")


@pytest.fixture
def admin(utrecht) -> User:
    return person("utrecht", "ADMIN")


def ask(utrecht, employee, *, now=NOW, minutes=30, roles=("AGENT",), reason="Melding 4711 nagaan") -> BreakGlass:
    with schema_context("public"):
        return breakglass.ask(
            municipality=utrecht,
            employee=employee,
            roles=roles,
            reason=reason,
            minutes=minutes,
            at=MADE_AT,
            now=now,
        )


def token_of(entry, employee, *, now=NOW) -> str:
    with schema_context("public"):
        return hand_over(entry_id=entry.id, employee=employee, at=MADE_AT, now=now)[1]


def come_in(municipality, token, *, now=NOW) -> User:
    with schema_context(municipality.schema_name):
        return admit(token=token, municipality=municipality, at=MADE_AT, now=now)[1]


def inside(utrecht, user, *, now) -> bool:
    with schema_context("utrecht"):
        return is_inside(user=user, now=now)


def choose_approval(utrecht) -> None:
    with schema_context("utrecht"):
        breakglass.choose_approval(municipality=utrecht, wanted=True, actor=SYSTEM, at=MADE_AT)


class TestAsking:
    @pytest.mark.parametrize(
        ("given", "code"),
        [
            ({"reason": "zomaar"}, "reason"),
            ({"reason": " " * 40}, "reason"),
            ({"reason": "x" * 501}, "reason"),
            ({"minutes": 14}, "minutes"),
            ({"minutes": 241}, "minutes"),
            ({"roles": ()}, "roles"),
            ({"roles": ("PRIVACY_OFFICER",)}, "roles"),
        ],
    )
    def test_it_refuses_too_little_reason_and_too_much_time_or_view(self, utrecht, support, given, code):
        with pytest.raises(InvalidRequest) as refusal:
            ask(utrecht, support, **given)
        assert refusal.value.code == code
        assert not BreakGlass.objects.exists()

    def test_one_employee_has_one_at_a_time_until_it_is_over(self, utrecht, support):
        first = ask(utrecht, support)
        with pytest.raises(AlreadyAsked):
            ask(utrecht, support)
        ask(utrecht, support, now=NOW + breakglass.OPEN_WITHIN)
        first.refresh_from_db()
        assert first.state == "LAPSED"

    def test_it_stands_in_both_trails_with_its_reason(self, utrecht, support):
        entry = ask(utrecht, support)
        for schema in ("utrecht", "public"):
            with schema_context(schema):
                told = Entry.objects.get(action="break_glass.ask")
                assert told.subject == f"break-glass {entry.id}"
                assert (told.actor_name, told.details["reason"]) == (support.name, "Melding 4711 nagaan")


class TestApproval:
    def test_without_one_it_may_be_opened_at_once(self, utrecht, support):
        assert ask(utrecht, support).state == "APPROVED"

    def test_where_the_municipality_chose_so_nothing_opens_before_it_says_yes(self, utrecht, support, admin):
        choose_approval(utrecht)
        entry = ask(utrecht, support)
        with pytest.raises(TooLate):
            token_of(entry, support)
        with schema_context("utrecht"):
            given = {"user": admin, "municipality": utrecht, "at": MADE_AT, "now": NOW}
            breakglass.decide(entry_id=entry.id, approve=True, **given)
            with pytest.raises(TooLate):
                breakglass.decide(entry_id=entry.id, approve=False, **given)
        user = come_in(utrecht, token_of(entry, support))
        assert inside(utrecht, user, now=NOW)

    def test_what_was_refused_or_waited_too_long_never_opens(self, utrecht, support, admin):
        choose_approval(utrecht)
        refused = ask(utrecht, support)
        with schema_context("utrecht"):
            breakglass.decide(entry_id=refused.id, approve=False, user=admin, municipality=utrecht, at=MADE_AT, now=NOW)
        with pytest.raises(TooLate):
            token_of(refused, support)
        late = ask(utrecht, support)
        with schema_context("utrecht"), pytest.raises(TooLate):
            breakglass.decide(
                entry_id=late.id,
                approve=True,
                user=admin,
                municipality=utrecht,
                at=MADE_AT,
                now=NOW + breakglass.ANSWER_WITHIN,
            )

    def test_another_municipality_decides_and_ends_nothing(self, utrecht, delft, support):
        choose_approval(utrecht)
        entry, stranger = ask(utrecht, support), person("delft", "ADMIN")
        with schema_context("delft"):
            given = {"entry_id": entry.id, "municipality": delft, "at": MADE_AT, "now": NOW}
            with pytest.raises(BreakGlass.DoesNotExist):
                breakglass.decide(approve=True, user=stranger, **given)
            with pytest.raises(BreakGlass.DoesNotExist):
                breakglass.end(by=stranger, **given)


class TestGoingIn:
    def test_a_token_opens_once_here_and_within_a_minute(self, utrecht, delft, support):
        entry = ask(utrecht, support)
        late, void = token_of(entry, support), token_of(entry, support)
        with pytest.raises(WrongToken):
            come_in(utrecht, late)
        with pytest.raises(WrongToken):
            come_in(delft, void)
        with pytest.raises(WrongToken):
            come_in(utrecht, void, now=NOW + entering.HANDOVER_FOR)
        good = token_of(entry, support)
        come_in(utrecht, good)
        with pytest.raises(WrongToken):
            come_in(utrecht, good)

    def test_the_database_keeps_no_token(self, utrecht, support):
        entry = ask(utrecht, support)
        token = token_of(entry, support)
        assert token not in str(BreakGlass.objects.filter(id=entry.id).values().get())

    def test_who_has_no_second_step_gets_none(self, utrecht):
        employee = person("public", "BSP_OPERATOR", second_step=False)
        with pytest.raises(NoSecondStep):
            token_of(ask(utrecht, employee), employee)

    def test_nobody_gets_one_for_a_colleagues_entry(self, utrecht, support):
        with pytest.raises(BreakGlass.DoesNotExist):
            token_of(ask(utrecht, support), person("public", "BSP_OPERATOR"))

    def test_the_same_entry_is_gone_on_with_until_its_first_end(self, utrecht, support):
        entry = ask(utrecht, support)
        first = come_in(utrecht, token_of(entry, support))
        again = come_in(utrecht, token_of(entry, support, now=NOW + timedelta(minutes=10)), now=NOW)
        entry.refresh_from_db()
        assert (again.pk, entry.ends_at) == (first.pk, NOW + timedelta(minutes=30))

    def test_a_process_that_dies_on_the_way_leaves_nobody_inside(self, utrecht, support):
        entry = ask(utrecht, support)
        token = token_of(entry, support)

        def die_before_the_session_is_written() -> None:
            with schema_context("utrecht"), transaction.atomic():
                admit(token=token, municipality=utrecht, at=MADE_AT, now=NOW)
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            die_before_the_session_is_written()
        entry.refresh_from_db()
        assert (entry.state, entry.user_id) == ("APPROVED", None)
        with schema_context("utrecht"):
            assert not User.objects.filter(break_glass_id=entry.id).exists()
        come_in(utrecht, token)


class TestInside:
    def test_it_is_over_to_the_second_when_its_time_is(self, utrecht, support):
        user = come_in(utrecht, token_of(ask(utrecht, support), support))
        assert inside(utrecht, user, now=NOW + timedelta(minutes=30, seconds=-1))
        assert not inside(utrecht, user, now=NOW + timedelta(minutes=30))

    def test_either_side_ends_it_at_once(self, utrecht, support, admin):
        for by in ("employee", "municipality"):
            entry = ask(utrecht, support)
            user = come_in(utrecht, token_of(entry, support))
            if by == "employee":
                with schema_context("public"):
                    breakglass.end_own(entry_id=entry.id, employee=support, at=MADE_AT, now=NOW)
            else:
                with schema_context("utrecht"):
                    breakglass.end(entry_id=entry.id, by=admin, municipality=utrecht, at=MADE_AT, now=NOW)
            assert not inside(utrecht, user, now=NOW)
            with pytest.raises(TooLate):
                token_of(entry, support)

    @pytest.mark.parametrize("loss", ["account", "role"])
    def test_it_is_over_when_the_employee_loses_their_account_or_role(self, utrecht, support, loss):
        user = come_in(utrecht, token_of(ask(utrecht, support), support))
        with schema_context("public"):
            if loss == "account":
                User.objects.filter(pk=support.pk).update(is_active=False)
            else:
                RoleGrant.objects.filter(user=support).delete()
        assert not inside(utrecht, user, now=NOW)
        with schema_context("utrecht"):
            assert breakglass.open_or_waiting(municipality=utrecht, now=NOW) == []

    def test_all_of_an_employee_are_ended_with_their_account(self, utrecht, delft, support):
        ask(utrecht, support)
        user = come_in(delft, token_of(ask(delft, support), support))
        with schema_context("public"):
            assert breakglass.end_all_of(employee_id=support.pk, by=SYSTEM, at=MADE_AT, now=NOW) == 2
        assert set(BreakGlass.objects.values_list("state", flat=True)) == {"WITHDRAWN", "ENDED"}
        with schema_context("delft"):
            assert not is_inside(user=user, now=NOW)

    @pytest.mark.parametrize("loss", ["account", "role"])
    def test_who_takes_account_or_role_away_ends_them_for_good(self, utrecht, delft, support, loss):
        person("public", "BSP_OPERATOR")
        at = datetime.now(UTC)
        ask(utrecht, support, now=at)
        user = come_in(delft, token_of(ask(delft, support, now=at), support, now=at), now=at)
        with schema_context("public"):
            if loss == "account":
                people.deactivate(user_id=support.pk, actor=SYSTEM, at=MADE_AT)
                people.reactivate(user_id=support.pk, actor=SYSTEM, at=MADE_AT)
            else:
                for role in ("BSP_FINANCE", "BSP_SUPPORT"):
                    people.change_roles(user_id=support.pk, roles=[role], actor=SYSTEM, at=MADE_AT)
        assert set(BreakGlass.objects.values_list("state", flat=True)) == {"WITHDRAWN", "ENDED"}
        with schema_context("delft"):
            assert not is_inside(user=user, now=at)
            assert Entry.objects.filter(action="break_glass.end").count() == 1

    def test_no_role_makes_more_of_it_than_an_entry_may(self, utrecht, support):
        user = come_in(utrecht, token_of(ask(utrecht, support, roles=("ADMIN", "AGENT")), support))
        with schema_context("utrecht"):
            for role in MunicipalRole.values:
                RoleGrant.objects.get_or_create(user=user, role=role)
            found = permissions_of(user=user)
        assert found == OF_ENTRIES
        never = {
            Permission.ANSWER_THREADS,
            Permission.DECIDE_ENTRIES,
            Permission.MANAGE_KEYS,
            *(each for each in Permission if "USERS" in each and each is not Permission.READ_USERS),
        }
        assert not found & never

    def test_what_is_done_inside_says_so_in_both_trails(self, utrecht, support):
        entry = ask(utrecht, support)
        user = come_in(utrecht, token_of(entry, support))
        with schema_context("utrecht"):
            record(action="thread.read", actor=user.actor(), at=MADE_AT, subject="thread 1")
            told = Entry.objects.get(action="thread.read")
            assert (told.details, told.actor_id) == ({"break_glass": str(entry.id)}, str(user.pk))
        with schema_context("public"):
            told = Entry.objects.get(action="thread.read")
            assert told.details == {"break_glass": str(entry.id), "municipality": "utrecht"}
            assert told.actor_schema == "utrecht"

    def test_what_is_over_is_written_down_once_and_its_user_kept_for_the_trail(self, utrecht, support):
        entry = ask(utrecht, support)
        user = come_in(utrecht, token_of(entry, support))
        over = NOW + timedelta(minutes=30)
        assert [breakglass.settle(at=MADE_AT, now=moment) for moment in (NOW, over, over)] == [0, 1, 0]
        entry.refresh_from_db()
        assert (entry.state, entry.ended_at, entry.ended_by) == ("ENDED", over, "time")
        with schema_context("utrecht"):
            assert not User.objects.get(pk=user.pk).is_active
            assert Entry.objects.get(action="break_glass.end").details["by"] == "time"

    def test_the_database_lets_nobody_in_for_longer_than_four_hours(self, utrecht, support):
        entry = ask(utrecht, support)
        come_in(utrecht, token_of(entry, support))
        with pytest.raises(IntegrityError), transaction.atomic():
            BreakGlass.objects.filter(id=entry.id).update(ends_at=NOW + timedelta(hours=4, seconds=1))


class TestTelling:
    def test_its_admins_and_privacy_officer_are_mailed_once_that_it_waits_and_once_that_it_is_open(
        self, utrecht, delft, support, admin
    ):
        person("utrecht", "PRIVACY_OFFICER")
        person("utrecht", "AGENT")
        person("delft", "ADMIN")
        choose_approval(utrecht)
        entry = ask(utrecht, support)
        assert [entry_mail.mail_entries(now=NOW) for _ in range(2)] == [1, 0]
        (asked,) = mail.outbox
        assert sorted(asked.bcc) == ["admin@utrecht.example", "privacy_officer@utrecht.example"]
        assert "Melding 4711 nagaan" in asked.body
        with schema_context("utrecht"):
            breakglass.decide(entry_id=entry.id, approve=True, user=admin, municipality=utrecht, at=MADE_AT, now=NOW)
        come_in(utrecht, token_of(entry, support))
        assert [entry_mail.mail_entries(now=NOW) for _ in range(2)] == [1, 0]
        assert "De BSP is nu in de werkomgeving van Utrecht" in mail.outbox[1].subject

    def test_they_are_told_also_when_it_was_over_before_anybody_could_mail(self, utrecht, support, admin):
        entry = ask(utrecht, support)
        come_in(utrecht, token_of(entry, support))
        breakglass.settle(at=MADE_AT, now=NOW + timedelta(hours=1))
        assert entry_mail.mail_entries(now=NOW + timedelta(hours=1)) == 1
        assert mail.outbox[0].subject.startswith("De BSP was")

    def test_a_mail_that_does_not_leave_is_sent_later(self, utrecht, support, admin, settings):
        entry = ask(utrecht, support)
        come_in(utrecht, token_of(entry, support))
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
        assert entry_mail.mail_entries(now=NOW) == 0
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        BreakGlass.objects.update(mail_claimed_at="2020-01-01T00:00:00Z")
        assert entry_mail.mail_entries(now=NOW) == 1


def test_the_choice_is_the_municipalitys_own_and_in_its_trail(utrecht, delft):
    choose_approval(utrecht)
    assert dict(Municipality.objects.values_list("schema_name", "approves_entries")) == {
        "utrecht": True,
        "delft": False,
    }
    with schema_context("utrecht"):
        assert Entry.objects.get(action="break_glass.choose").details == {"approval": True}
