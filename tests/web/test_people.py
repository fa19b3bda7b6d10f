"""The pages on which admins manage their people."""

import csv
import re
from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client
from django_tenants.utils import schema_context

from accounts import letters, posting
from accounts.making import make_user
from accounts.models import Invitation, Mail, User
from accounts.people import LastAdmin
from audit.models import Entry
from audit.record import Actor
from tests.messaging import meta
from tests.web.conftest import HOSTS, PASSWORD

ADMIN = "admin@utrecht.example"
NEW = {"email": "nieuw@utrecht.example", "name": "Nel Nieuw", "role": ["AGENT"]}


def one(email: str) -> User:
    with schema_context("utrecht"):
        return User.objects.get(email=email)


def roles_of(email: str) -> set[str]:
    with schema_context("utrecht"):
        return set(User.objects.get(email=email).role_grants.values_list("role", flat=True))


def another_admin() -> None:
    with schema_context("public"):
        make_user(
            schema_name="utrecht",
            email="tweede@utrecht.example",
            name="Tweede",
            roles=["ADMIN"],
            password=PASSWORD,
            actor=Actor.system("tests"),
            at=meta.RECEIVED_AT,
        )


def post_all(schema: str = "utrecht") -> None:
    """Send what is written down, as the worker does."""
    with schema_context(schema):
        for row in Mail.objects.filter(state="QUEUED"):
            posting.send(mail_id=row.id, write=letters.write)


@pytest.fixture
def admin(people, settings) -> Client:
    settings.SENDS_MAIL = True
    return people("utrecht", "ADMIN")


class TestList:
    def test_it_says_who_as_what_when_and_how_protected(self, admin, people):
        people("utrecht", "AGENT")
        admin.post("/users/invite/", NEW)
        page = admin.get("/users/").content.decode()
        assert all(word in page for word in ("agent@utrecht.example", "Medewerker", "App met codes", "Nel Nieuw"))
        assert "Uitnodiging wordt verzonden" in page
        post_all()
        assert re.search(r"<td>Uitgenodigd</td>", admin.get("/users/").content.decode())

    def test_a_mail_that_could_not_be_sent_is_shown_and_sent_again(self, admin, settings):
        settings.SENDS_MAIL = False
        admin.post("/users/invite/", NEW)
        post_all()
        assert "Uitnodiging kon niet worden verzonden" in admin.get("/users/").content.decode()
        settings.SENDS_MAIL = True
        admin.post(f"/users/{one(NEW['email']).id}/invitation/", {"act": "again"})
        post_all()
        assert [each.to for each in mail.outbox] == [[NEW["email"]]]

    def test_the_review_says_the_same_as_a_table_and_is_in_the_trail(self, admin, people):
        people("utrecht", "AGENT")
        admin.post("/users/invite/", {**NEW, "name": "=1+1"})
        answer = admin.get("/users/review.csv")
        rows = {row["email"]: row for row in csv.DictReader(StringIO(answer.content.decode()))}
        assert rows[ADMIN]["second_steps"] == "totp"
        assert rows[ADMIN]["second_step_required"] == "yes"
        assert rows[ADMIN]["last_sign_in_at"] != "" != rows[ADMIN]["second_step_since"]
        assert rows["agent@utrecht.example"]["roles_since"].startswith("AGENT 20")
        assert (rows[NEW["email"]]["state"], rows[NEW["email"]]["name"]) == ("INVITED", "'=1+1")
        with schema_context("utrecht"):
            assert Entry.objects.get(action="users.export").details == {"users": 3}

    def test_the_operator_has_the_same_for_the_staff(self, people, settings):
        operator = people("public", "BSP_OPERATOR")
        operator.post("/users/invite/", {"email": "s@bsp.example", "name": "Sanne", "role": ["BSP_SUPPORT"]})
        assert "s@bsp.example" in operator.get("/users/").content.decode()
        assert operator.post("/users/invite/", {**NEW, "role": ["ADMIN"]}).status_code == 422
        assert people("public", "BSP_SUPPORT").get("/users/").status_code == 403


class TestInviting:
    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("email", "geen adres"),
            ("email", ""),
            ("name", ""),
            ("role", []),
            ("role", ["BSP_SUPPORT"]),
            ("email", ADMIN),
        ],
    )
    def test_what_cannot_be_is_said_and_kept_in_the_form(self, admin, field, value):
        answer = admin.post("/users/invite/", {**NEW, field: value})
        assert answer.status_code == 422
        page = answer.content.decode()
        assert 'role="alert"' in page
        assert ("Nel Nieuw" in page) is (field != "name")
        with schema_context("utrecht"):
            assert not Invitation.objects.exists()

    def test_a_list_is_shown_before_anything_is_sent(self, admin):
        text = "email;name;roles\na@utrecht.example;An;AGENT FINANCE\nb@utrecht.example;Bo;Privacy officer\n"
        shown = admin.post("/users/invite/many/", {"text": text})
        assert shown.status_code == 200
        assert "Privacy officer" in shown.content.decode()
        with schema_context("utrecht"):
            assert not Invitation.objects.exists()
        assert admin.post("/users/invite/many/", {"text": text, "step": "send"}).url == "/users/"
        assert roles_of("a@utrecht.example") == {"AGENT", "FINANCE"}
        assert roles_of("b@utrecht.example") == {"PRIVACY_OFFICER"}
        post_all()
        assert sorted(each.to[0] for each in mail.outbox) == ["a@utrecht.example", "b@utrecht.example"]

    def test_one_wrong_line_invites_nobody_and_every_wrong_line_is_named(self, admin):
        rows = ("a@utrecht.example,An,AGENT", "x,Bo,AGENT", "", f"{ADMIN},Cees,AGENT", "a@utrecht.example,Dirk,KING")
        text = "\n".join(["email,name,roles", *rows])
        page = admin.post("/users/invite/many/", {"text": text, "step": "send"}).content.decode()
        assert re.findall(r"Regel (\d+):", page) == ["3", "5", "6", "6"]
        with schema_context("utrecht"):
            assert not Invitation.objects.exists()

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "a,b\nc,d",
            "email,name,roles\n",
            'email,name,roles\n"a,b',
            "\x00",
            "email,name,roles\nx\x00,y,AGENT",
            "a" * 140_000,
        ],
    )
    def test_what_is_no_list_is_refused(self, admin, text):
        assert admin.post("/users/invite/many/", {"text": text, "step": "send"}).status_code == 422

    def test_a_file_of_a_dutch_spreadsheet_is_read(self, admin):
        file = StringIO("email;name;roles\r\nz@utrecht.example;Zoë;Medewerker\r\n").getvalue().encode("cp1252")
        from django.core.files.uploadedfile import SimpleUploadedFile

        page = admin.post("/users/invite/many/", {"file": SimpleUploadedFile("lijst.csv", file)}).content.decode()
        assert "Zoë" in page


class TestRoles:
    def test_they_are_changed_and_the_trail_says_from_what_to_what(self, admin, people):
        agent = people("utrecht", "AGENT")
        path = f"/users/{one('agent@utrecht.example').id}/roles/"
        assert admin.post(path, {"role": ["SUPERVISOR", "FINANCE"]}).status_code == 302
        assert roles_of("agent@utrecht.example") == {"SUPERVISOR", "FINANCE"}
        assert agent.get("/templates/").status_code == 200, "it counts at once"
        with schema_context("utrecht"):
            assert Entry.objects.get(action="user.roles").details == {
                "before": ["AGENT"],
                "after": ["FINANCE", "SUPERVISOR"],
            }

    def test_the_last_admin_stays_one(self, admin):
        path = f"/users/{one(ADMIN).id}/roles/"
        refused = admin.post(path, {"role": ["AGENT"]})
        assert refused.status_code == 409
        assert "niemand overblijven" in refused.content.decode()
        assert roles_of(ADMIN) == {"ADMIN"}
        admin.post("/users/invite/", {**NEW, "role": ["ADMIN"]})
        assert admin.post(path, {"role": ["AGENT"]}).status_code == 409, "who is only invited cannot sign in"
        another_admin()
        assert admin.post(path, {"role": ["AGENT"]}).status_code == 302

    def test_an_operators_command_does_not_lose_them_either(self, admin):
        with schema_context("public"), pytest.raises(LastAdmin):
            make_user(
                schema_name="utrecht",
                email=ADMIN,
                name="x",
                roles=["AGENT"],
                password=PASSWORD,
                actor=Actor.system("tests"),
                at=meta.RECEIVED_AT,
            )
        assert roles_of(ADMIN) == {"ADMIN"}

    @pytest.mark.parametrize("roles", [[], ["BSP_OPERATOR"], ["MAYOR"]])
    def test_a_role_that_is_none_here_is_not_given(self, admin, people, roles):
        people("utrecht", "AGENT")
        assert admin.post(f"/users/{one('agent@utrecht.example').id}/roles/", {"role": roles}).status_code == 409
        assert roles_of("agent@utrecht.example") == {"AGENT"}


class TestBlocking:
    def test_sessions_end_at_once_and_nothing_signs_in(self, admin, people):
        agent = people("utrecht", "AGENT")
        path = f"/users/{one('agent@utrecht.example').id}/access/"
        assert "blokkeren" in admin.get(path).content.decode()
        assert agent.get("/inbox/").status_code == 200, "asking does nothing"
        admin.post(path, {"act": "block"})
        assert agent.get("/inbox/").status_code == 302
        client = Client(headers={"host": HOSTS["utrecht"]})
        said = client.post("/sign-in/", {"login": "agent@utrecht.example", "password": PASSWORD}, follow=True)
        assert "Uw account is geblokkeerd" in said.content.decode()
        assert client.get("/inbox/").status_code == 302
        with schema_context("utrecht"):
            assert Entry.objects.filter(action="session.refuse", outcome="DENIED").count() == 1
        admin.post(path, {"act": "unblock"})
        assert agent.get("/inbox/").status_code == 302, "the session from before stays ended"
        client.post("/sign-in/", {"login": "agent@utrecht.example", "password": PASSWORD})
        assert client.get("/inbox/").status_code == 200

    def test_conversations_in_hand_go_back_to_everyone(self, admin, people, thread):
        agent = people("utrecht", "AGENT")
        user = one("agent@utrecht.example")
        assert agent.post(f"/threads/{thread.id}/take/").status_code == 302
        with schema_context("utrecht"):
            thread.refresh_from_db()
            assert thread.assignee_id == user.id
        admin.post(f"/users/{user.id}/access/", {"act": "block"})
        with schema_context("utrecht"):
            thread.refresh_from_db()
            assert thread.assignee_id is None

    def test_higher_rooms_take_back_what_they_had_in_hand(self, admin, people, settings):
        settings.LEAVING_STEPS = ["tests.web.test_people.leave"]
        people("utrecht", "AGENT")
        user = one("agent@utrecht.example")
        admin.post(f"/users/{user.id}/access/", {"act": "block"})
        assert [user.id] == LEFT

    def test_a_step_that_fails_blocks_nobody(self, admin, people, settings):
        settings.LEAVING_STEPS = ["tests.web.test_people.fail"]
        agent = people("utrecht", "AGENT")
        with pytest.raises(ZeroDivisionError):
            admin.post(f"/users/{one('agent@utrecht.example').id}/access/", {"act": "block"})
        assert agent.get("/inbox/").status_code == 200

    def test_an_invitation_works_no_longer(self, admin):
        admin.post("/users/invite/", NEW)
        post_all()
        link = re.search(r"(/invitation/\S+)", mail.outbox[0].body)[1]
        admin.post(f"/users/{one(NEW['email']).id}/access/", {"act": "block"})
        assert Client(headers={"host": HOSTS["utrecht"]}).get(link).status_code == 404

    def test_nobody_blocks_themselves(self, admin):
        another_admin()
        assert admin.post(f"/users/{one(ADMIN).id}/access/", {"act": "block"}).status_code == 409
        assert admin.get("/users/").status_code == 200


class TestLostSecondStep:
    def test_it_is_removed_told_and_set_up_anew(self, admin, people):
        supervisor = people("utrecht", "SUPERVISOR")
        from tests.web.test_own_account import set_up

        set_up(supervisor)
        user = one("supervisor@utrecht.example")
        admin.post(f"/users/{user.id}/second-step/")
        assert supervisor.get("/inbox/").status_code == 302
        with schema_context("utrecht"):
            assert not Authenticator.objects.filter(user=user).exists()
            assert Entry.objects.filter(action="second_step.reset", subject=f"user {user.id}").count() == 1
        post_all()
        assert (mail.outbox[-1].to, "tweede stap verwijderd" in mail.outbox[-1].body) == ([user.email], True)

    def test_nobody_removes_their_own_so(self, admin):
        assert admin.post(f"/users/{one(ADMIN).id}/second-step/").status_code == 409
        assert admin.get("/users/").status_code == 200


def test_the_choice_for_all_is_made_on_a_page_and_in_the_trail(admin, people):
    agent = people("utrecht", "AGENT")
    assert "Gebruikers die er nu geen hebben: 1" in admin.get("/users/rules/").content.decode()
    admin.post("/users/rules/", {"for_all": "yes"})
    assert agent.get("/inbox/").url == "/account/second-step/"
    admin.post("/users/rules/", {"for_all": "yes"})
    with schema_context("utrecht"):
        assert Entry.objects.filter(action="sign_in_rules.change").count() == 1


LEFT: list = []


def leave(*, user_id, actor, at) -> None:
    LEFT.append(user_id)


def fail(*, user_id, actor, at) -> None:
    raise ZeroDivisionError
