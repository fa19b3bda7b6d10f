"""Signing in by a municipality's own provider: a real one, over HTTP, that signs what it says."""

import time
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.core.cache import cache
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django_tenants.utils import schema_context

from accounts import reading
from accounts.making import make_user
from accounts.models import GroupRole, RoleGrant, SignedIn, SignOn, User
from accounts.sessions import SessionStore
from accounts.sign_on import admitting, configuring, fetching, flow, remembering
from accounts.sign_on.claims import Person
from accounts.sign_on.configuring import Unacceptable, Wish
from accounts.sign_on.trouble import NotAdmitted
from audit.models import Entry
from audit.record import Actor
from tests.accounts.oidc_provider import CLIENT_ID, CLIENT_SECRET, entra, provider
from tests.conftest import FROZEN_AT

HOST = "utrecht.localhost"
PASSWORD = "een-lang-wachtwoord-1"
ACTOR = Actor.system("tests")
AGENTS, SUPERVISORS = "0b9c7f54-7d4e-4a53-9f0b-7f3b6a1c2d01", "0b9c7f54-7d4e-4a53-9f0b-7f3b6a1c2d02"


@pytest.fixture(autouse=True)
def _quick_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()
    remembering.forget()
    yield
    connection.set_schema_to_public()  # where a request left it


@pytest.fixture
def idp():
    """Return a provider with people in it, as Entra ID describes them."""
    with provider() as made:
        made.people = {
            "agent": entra("S-agent", email="Kim@Utrecht.example", name="Kim Kanaal", groups=[AGENTS, "another"]),
            "both": entra("S-both", email="sem@utrecht.example", name="Sem", groups=[AGENTS, SUPERVISORS]),
            "nobody": entra("S-nobody", email="niemand@utrecht.example", name="Niemand", groups=["another"]),
            "strong": entra("S-strong", email="s@utrecht.example", name="S", groups=[AGENTS], amr=["pwd", "mfa"]),
            "thief": entra("S-thief", email="admin@utrecht.example", name="Dief", groups=[AGENTS]),
        }
        yield made


def make(role, email, *, schema="utrecht"):
    with schema_context("public"):
        made = make_user(
            schema_name=schema, email=email, name=role, roles=[role], password=PASSWORD, actor=ACTOR, at=FROZEN_AT
        )
    return made.user


@pytest.fixture
def admin(utrecht):
    """Return Utrecht's admin, who has a password."""
    return make("ADMIN", "admin@utrecht.example")


def wish(idp, admin, **more):
    values = {
        "is_on": True,
        "issuer": idp.issuer,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "groups_claim": "groups",
        "groups": {"AGENT": (AGENTS,), "SUPERVISOR": (SUPERVISORS,)},
        "second_step": "HERE",
        "strong_acr": "",
        "passwords_open": True,
        "local_admin": admin.id,
    }
    return Wish(**{**values, **more})


def save(idp, admin, **more):
    with schema_context("utrecht"):
        remembering.forget()  # the clock stands still, so that settings saved anew would be of the same moment
        return configuring.save(wish=wish(idp, admin, **more), actor=ACTOR, at=FROZEN_AT)


@pytest.fixture
def on(idp, admin):
    """Have Utrecht sign in by the provider."""
    save(idp, admin)
    return idp


def client():
    return Client(headers={"host": HOST})


def sign_in(idp, word, browser=None, *, begin="/sign-in/provider/"):
    """Go the whole way; return the answer on the way back, and the browser."""
    browser = browser or client()
    sent = browser.get(begin)
    assert sent.status_code == 302, sent.content
    assert sent.url.startswith(f"{idp.issuer}/authorize?")
    back = urlsplit(idp.come_as(word, dict(parse_qsl(urlsplit(sent.url).query))))
    return browser.get(f"{back.path}?{back.query}"), browser


def entries(action):
    with schema_context("utrecht"):
        return list(Entry.objects.filter(action=action).order_by("sequence"))


def roles_of(email):
    with schema_context("utrecht"):
        return sorted(RoleGrant.objects.filter(user__email=email).values_list("role", flat=True))


class TestComingIn:
    def test_somebody_with_a_mapped_group_is_made_and_signed_in(self, on):
        answer, browser = sign_in(on, "agent")
        assert (answer.status_code, answer.url) == (302, "/")
        assert browser.get("/inbox/").status_code == 200
        assert roles_of("kim@utrecht.example") == ["AGENT"]
        with schema_context("utrecht"):
            user = User.objects.get(email="kim@utrecht.example")
            identity = SocialAccount.objects.get()
            assert (identity.provider, identity.uid, identity.user) == (on.issuer, "S-agent", user)
            assert identity.extra_data == {}
            assert not user.has_usable_password()
            assert SignedIn.objects.filter(user=user).count() == 1
            assert not SocialApp.objects.exists()
            assert not SocialToken.objects.exists()
        (entry,) = entries("sign_in.provider")
        assert (entry.outcome, entry.actor_name, entry.origin) == ("OK", "Kim Kanaal", "127.0.0.1")

    def test_the_list_of_users_says_that_they_can_sign_in(self, on):
        sign_in(on, "agent")
        with schema_context("utrecht"):
            assert {view.user.name: view.can_sign_in for view in reading.users()} == {"ADMIN": True, "Kim Kanaal": True}

    def test_they_come_where_they_wanted_to_be_and_nowhere_else(self, on):
        answer, _ = sign_in(on, "agent", begin="/sign-in/provider/?next=/unreached/")
        assert answer.url == "/unreached/"
        answer, _ = sign_in(on, "agent", begin="/sign-in/provider/?next=https://elsewhere.example/")
        assert answer.url == "/"

    def test_state_nonce_and_pkce_go_out(self, on):
        sent = dict(parse_qsl(urlsplit(client().get("/sign-in/provider/").url).query))
        assert {"state", "nonce", "code_challenge"} <= set(sent)
        assert sent["code_challenge_method"] == "S256"
        assert sent["redirect_uri"] == f"http://{HOST}/sign-in/provider/back/"
        assert CLIENT_SECRET not in str(sent)

    def test_what_a_visitor_adds_to_the_address_does_not_reach_the_provider(self, on):
        address = "/sign-in/provider/?auth_params=prompt%3Dnone%26redirect_uri%3Dx&scope=admin&process=connect"
        sent = dict(parse_qsl(urlsplit(client().get(address).url).query))
        assert "prompt" not in sent
        assert sorted(sent["scope"].split()) == ["email", "openid", "profile"]

    def test_the_secret_goes_in_a_header_where_the_provider_wants_that(self, on):
        on.faults["document"] = {"token_endpoint_auth_methods_supported": ["client_secret_basic"]}
        remembering.forget()
        assert sign_in(on, "agent")[0].status_code == 302

    def test_roles_follow_the_groups_at_each_sign_in(self, on):
        sign_in(on, "both")
        assert roles_of("sem@utrecht.example") == ["AGENT", "SUPERVISOR"]
        on.people["both"]["groups"] = [SUPERVISORS]
        sign_in(on, "both")
        assert roles_of("sem@utrecht.example") == ["SUPERVISOR"]
        assert [entry.details["roles"] for entry in entries("user.roles")] == [["AGENT", "SUPERVISOR"], ["SUPERVISOR"]]

    def test_roles_of_the_app_count_where_the_admin_chose_them(self, idp, admin):
        save(idp, admin, groups_claim="roles", groups={"PRIVACY_OFFICER": ("Platform.Privacy",)})
        idp.people["agent"]["roles"] = ["Platform.Privacy"]
        sign_in(idp, "agent")
        assert roles_of("kim@utrecht.example") == ["PRIVACY_OFFICER"]

    def test_a_name_follows_the_provider(self, on):
        sign_in(on, "agent")
        on.people["agent"] |= {"name": "Kim de Boer", "preferred_username": "k.deboer@utrecht.example"}
        sign_in(on, "agent")
        with schema_context("utrecht"):
            assert User.objects.get(email="kim@utrecht.example").name == "Kim de Boer"


class TestStayingOut:
    def refused(self, answer, text, status=403):
        assert answer.status_code == status
        assert text in answer.content.decode()
        assert answer["Cache-Control"] == "no-store"

    def test_who_has_no_mapped_group_is_not_made(self, on):
        answer, browser = sign_in(on, "nobody")
        self.refused(answer, "geen rol")
        assert browser.get("/inbox/").status_code == 302
        with schema_context("utrecht"):
            assert not User.objects.filter(email="niemand@utrecht.example").exists()
        assert [entry.details["reason"] for entry in entries("sign_in.provider")] == ["NO_ROLE"]

    def test_who_loses_the_last_group_loses_roles_and_sessions(self, on):
        _, first = sign_in(on, "agent")
        on.people["agent"]["groups"] = []
        answer, _ = sign_in(on, "agent")
        self.refused(answer, "geen rol")
        assert roles_of("kim@utrecht.example") == []
        assert first.get("/inbox/").status_code == 302

    def test_who_is_blocked_here_stays_out(self, on):
        sign_in(on, "agent")
        with schema_context("utrecht"):
            User.objects.filter(email="kim@utrecht.example").update(is_active=False)
        answer, browser = sign_in(on, "agent")
        self.refused(answer, "geblokkeerd")
        assert browser.get("/inbox/").status_code == 302
        assert roles_of("kim@utrecht.example") == ["AGENT"]

    def test_an_address_makes_nobody_somebody_else(self, on, admin):
        answer, _ = sign_in(on, "thief")
        self.refused(answer, "e-mailadres")
        with schema_context("utrecht"):
            assert not SocialAccount.objects.exists()
        assert roles_of("admin@utrecht.example") == ["ADMIN"]

    def test_the_same_subject_of_another_issuer_is_somebody_else(self, on, admin):
        sign_in(on, "agent")
        with provider(path="/other") as other:
            other.people["agent"] = entra("S-agent", email="kim2@utrecht.example", name="Kim 2", groups=[AGENTS])
            save(other, admin)
            sign_in(other, "agent")
        with schema_context("utrecht"):
            assert set(SocialAccount.objects.values_list("user__email", flat=True)) == {
                "kim@utrecht.example",
                "kim2@utrecht.example",
            }

    def test_too_many_groups_are_said_to_be(self, on):
        del on.people["agent"]["groups"]
        on.people["agent"] |= {
            "_claim_names": {"groups": "src1"},
            "_claim_sources": {"src1": {"endpoint": "https://x"}},
        }
        self.refused(sign_in(on, "agent")[0], "zoveel groepen", 503)
        assert entries("sign_in.provider")[-1].details["reason"] == "TOO_MANY_GROUPS"

    def test_somebody_without_an_address_is_told(self, on):
        on.people["agent"]["preferred_username"] = "kim"
        self.refused(sign_in(on, "agent")[0], "e-mailadres", 503)

    def test_pressing_cancel_is_said(self, on):
        self.refused(sign_in(on, "cancel")[0], "afgebroken")

    @pytest.mark.parametrize("query", ["", "?code=x", "?code=x&state=unknown", "?error=server_error"])
    def test_who_comes_back_without_having_gone_is_told(self, on, query):
        self.refused(client().get(f"/sign-in/provider/back/{query}"), "Begin opnieuw")

    def test_a_way_back_of_another_browser_is_refused(self, on):
        browser = client()
        sent = browser.get("/sign-in/provider/")
        back = urlsplit(on.come_as("agent", dict(parse_qsl(urlsplit(sent.url).query))))
        self.refused(client().get(f"{back.path}?{back.query}"), "Begin opnieuw")

    def test_a_way_back_counts_once(self, on):
        browser = client()
        sent = browser.get("/sign-in/provider/")
        back = urlsplit(on.come_as("agent", dict(parse_qsl(urlsplit(sent.url).query))))
        assert browser.get(f"{back.path}?{back.query}").status_code == 302
        self.refused(browser.get(f"{back.path}?{back.query}"), "Begin opnieuw")

    @pytest.mark.parametrize(
        "faults",
        [
            {"key": "other"},
            {"kid": "unknown"},
            {"algorithm": "none"},
            {"algorithm": "HS256"},
            {"claims": {"iss": "https://elsewhere.example"}},
            {"claims": {"aud": "another client"}},
            {"claims": {"azp": "another client"}},
            {"claims": {"nonce": "of another sign-in"}},
            {"claims": {"nonce": None}},
            {"claims": {"exp": 1_700_000_000}},
            {"claims": {"exp": None}},
            {"claims": {"iat": 4_000_000_000, "nbf": 4_000_000_000}},
            {"claims": {"sub": None}},
            {"claims": {"sub": "x" * 192}},
        ],
        ids=str,
    )
    def test_a_token_that_is_not_right_lets_nobody_in_and_is_told_to_the_trail(self, on, faults):
        on.faults.update(faults)
        answer, browser = sign_in(on, "agent")
        assert answer.status_code == 503
        assert browser.get("/inbox/").status_code == 302
        with schema_context("utrecht"):
            assert not SocialAccount.objects.exists()
        (entry,) = entries("sign_in.provider")
        assert entry.outcome == "DENIED"

    @pytest.mark.parametrize("site", ["cross-site", "same-site"])
    def test_no_other_page_has_somebody_signed_in_unasked(self, on, site):
        answer = client().get("/sign-in/provider/", headers={"sec-fetch-site": site})
        assert answer.url == "/sign-in/"

    def test_where_no_provider_is_on_there_is_no_way(self, utrecht):
        for path in ("/sign-in/provider/", "/sign-in/provider/back/?code=x&state=y"):
            assert client().get(path).url == "/"
        assert Client(headers={"host": "console.localhost"}).get("/sign-in/provider/").status_code == 404


class TestPasswords:
    def enter(self, email):
        return client().post("/sign-in/", {"login": email, "password": PASSWORD}).status_code == 302

    def test_they_stay_open_to_others_where_the_municipality_wants_so(self, on):
        make("FINANCE", "fien@utrecht.example")
        assert self.enter("fien@utrecht.example")

    def test_else_they_are_the_local_admins_alone(self, idp, admin):
        make("FINANCE", "fien@utrecht.example")
        save(idp, admin, passwords_open=False)
        assert not self.enter("fien@utrecht.example")
        assert self.enter("admin@utrecht.example")

    def test_sessions_that_began_so_end_when_that_way_is_closed(self, on, admin):
        make("FINANCE", "fien@utrecht.example")
        by_password = {email: client() for email in ("fien@utrecht.example", "admin@utrecht.example")}
        for email, browser in by_password.items():
            browser.post("/sign-in/", {"login": email, "password": PASSWORD})
        by_provider = sign_in(on, "agent")[1]
        save(on, admin, passwords_open=True)
        assert by_password["fien@utrecht.example"].get("/usage/").status_code == 200
        save(on, admin, passwords_open=False)
        assert by_password["fien@utrecht.example"].get("/usage/").status_code == 302
        assert by_provider.get("/inbox/").status_code == 200
        with schema_context("utrecht"):
            assert SignedIn.objects.filter(user=admin).exists()  # kept for the day that the provider fails
        assert entries("sign_on.change")[-1].details["sessions_ended"] == 1

    def test_a_refused_password_is_answered_as_a_wrong_one(self, idp, admin):
        make("FINANCE", "fien@utrecht.example")
        save(idp, admin, passwords_open=False)
        answers = []
        for password in (PASSWORD, "anders-en-fout"):
            page = client().post("/sign-in/", {"login": "fien@utrecht.example", "password": password})
            answers.append((page.status_code, page.context["form"].non_field_errors()))
        assert answers[0] == answers[1]

    def test_who_comes_by_the_provider_has_no_other_way_in(self, on):
        sign_in(on, "agent")
        with schema_context("utrecht"):
            user = User.objects.get(email="kim@utrecht.example")
            user.set_password(PASSWORD)
            user.save()
        assert not self.enter("kim@utrecht.example")

    def test_the_local_admin_gets_in_while_the_provider_is_down(self, on):
        on.stop()
        remembering.forget()
        answer = client().get("/sign-in/provider/")
        assert answer.status_code == 503
        assert "werkt op dit moment niet" in answer.content.decode()
        assert self.enter("admin@utrecht.example")


class TestConnecting:
    def test_somebody_with_a_password_connects_their_account(self, on):
        user = make("AGENT", "kim@utrecht.example")
        browser = client()
        browser.post("/sign-in/", {"login": "kim@utrecht.example", "password": PASSWORD})
        answer, _ = sign_in(on, "agent", browser, begin="/account/connect/")
        assert answer.url == "/account/"
        answer, _ = sign_in(on, "agent")
        assert answer.url == "/"
        with schema_context("utrecht"):
            assert SocialAccount.objects.get().user == user
        assert len(entries("sign_on.link")) == 1

    def test_the_local_admin_stays_apart(self, on, admin):
        person = Person(subject="S-bea", email="b@utrecht.example", name="B", groups=frozenset(), strong=False)
        with schema_context("utrecht"):
            with pytest.raises(NotAdmitted, match="LOCAL_ADMIN"):
                admitting.link(user=admin, person=person, issuer=on.issuer, at=FROZEN_AT)
            assert not SocialAccount.objects.exists()

    def test_an_account_is_one_users(self, on):
        sign_in(on, "agent")
        make("FINANCE", "fien@utrecht.example")
        browser = client()
        browser.post("/sign-in/", {"login": "fien@utrecht.example", "password": PASSWORD})
        answer, _ = sign_in(on, "agent", browser, begin="/account/connect/")
        assert answer.status_code == 403
        with schema_context("utrecht"):
            assert SocialAccount.objects.get().user.email == "kim@utrecht.example"


class TestSecondStep:
    @pytest.mark.parametrize(
        ("setting", "word", "asked"),
        [
            ("HERE", "strong", True),
            ("CLAIMED", "strong", False),
            ("CLAIMED", "agent", True),
            ("PROVIDER", "agent", False),
        ],
    )
    def test_the_provider_is_trusted_with_it_as_far_as_the_admin_says(self, idp, admin, setting, word, asked):
        save(idp, admin, second_step=setting)
        sign_in(idp, word)
        with schema_context("utrecht"):
            TOTP.activate(SocialAccount.objects.get().user, generate_totp_secret())
        answer, browser = sign_in(idp, word)
        assert answer.url == ("/sign-in/second-step/" if asked else "/")
        assert (browser.get("/inbox/").status_code == 302) is asked

    def test_trust_that_was_not_used_up_counts_for_no_other_way_in(self, on):
        user = make("FINANCE", "fien@utrecht.example")
        browser = client()
        with schema_context("utrecht"):
            TOTP.activate(user, generate_totp_secret())
            session = SessionStore()
            session[flow.STRONG] = True
            session.save()
        browser.cookies["session"] = session.session_key
        answer = browser.post("/sign-in/", {"login": "fien@utrecht.example", "password": PASSWORD})
        assert answer.url == "/sign-in/second-step/"

    def test_an_admin_who_comes_by_a_trusted_provider_owes_no_second_step_and_else_does(self, idp, admin):
        for setting, status in (("PROVIDER", 200), ("HERE", 302)):
            save(idp, admin, second_step=setting, groups={"ADMIN": (AGENTS,)})
            _, browser = sign_in(idp, "agent")
            assert browser.get("/users/").status_code == status

    def test_a_class_of_context_counts_that_the_admin_named(self, idp, admin):
        save(idp, admin, second_step="CLAIMED", strong_acr="urn:loa:3")
        idp.people["agent"]["acr"] = "urn:loa:3"
        sign_in(idp, "agent")
        with schema_context("utrecht"):
            TOTP.activate(SocialAccount.objects.get().user, generate_totp_secret())
        assert sign_in(idp, "agent")[0].url == "/"
        idp.people["agent"]["acr"] = "urn:loa:2"
        assert sign_in(idp, "agent")[0].url == "/sign-in/second-step/"


class TestSettings:
    def test_the_secret_is_kept_encrypted_and_stays_when_nothing_is_typed(self, on, admin):
        save(on, admin, client_secret="", groups_claim="roles")
        with schema_context("utrecht"):
            found = SignOn.objects.get()
            assert CLIENT_SECRET not in found.client_secret
            assert configuring.secret_of(sign_on=found) == CLIENT_SECRET
        assert [entry.details["changed"] for entry in entries("sign_on.change")][1] == ["groups_claim"]
        assert CLIENT_SECRET not in str([entry.details for entry in entries("sign_on.change")])

    @pytest.mark.parametrize(
        ("more", "problem"),
        [
            ({"issuer": "ftp://x"}, {"issuer": "NO_ADDRESS", "client_secret": "SECRET_NEEDED"}),
            ({"issuer": "http://127.0.0.1:1"}, {"client_secret": "SECRET_NEEDED"}),
            ({"client_id": ""}, {"client_id": "NEEDED"}),
            ({"groups_claim": ""}, {"groups_claim": "NEEDED"}),
            ({"groups": {}}, {"groups": "GROUPS_NEEDED"}),
            ({"groups": {"AGENT": ("x" * 201,)}}, {"groups": "TOO_LONG"}),
            ({"second_step": "NONE"}, {"second_step": "NEEDED"}),
            ({"local_admin": None}, {"local_admin": "LOCAL_ADMIN_NEEDED"}),
        ],
        ids=str,
    )
    def test_what_does_not_hang_together_changes_nothing(self, on, admin, more, problem):
        with pytest.raises(Unacceptable) as refused:
            save(on, admin, client_secret="", **more)
        assert refused.value.problems == problem
        with schema_context("utrecht"):
            assert SignOn.objects.get().issuer == on.issuer
        assert len(entries("sign_on.change")) == 1

    def test_it_is_not_turned_on_while_the_provider_does_not_answer(self, idp, admin):
        idp.stop()
        with pytest.raises(Unacceptable) as refused:
            save(idp, admin)
        assert refused.value.problems == {"issuer": "UNREACHABLE"}

    def test_it_can_be_changed_and_turned_off_while_the_provider_is_down(self, on, admin):
        on.stop()
        save(on, admin, groups={"AGENT": (AGENTS,)})
        with schema_context("utrecht"):
            assert GroupRole.objects.count() == 1
        save(on, admin, is_on=False)
        assert client().get("/sign-in/provider/").url == "/"

    def test_who_comes_by_the_provider_cannot_be_the_local_admin(self, on, admin):
        other = make("ADMIN", "bea@utrecht.example")
        with schema_context("utrecht"):
            SocialAccount.objects.create(user=other, provider=on.issuer, uid="S-bea")
        with pytest.raises(Unacceptable):
            save(on, other)

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE accounts_user SET is_active = false WHERE id = %s",
            "DELETE FROM accounts_rolegrant WHERE user_id = %s",
            "UPDATE accounts_rolegrant SET role = 'AGENT' WHERE user_id = %s",
            "SET CONSTRAINTS ALL IMMEDIATE; DELETE FROM accounts_user WHERE id = %s",
        ],
    )
    def test_the_database_keeps_the_local_admin(self, on, admin, statement):
        with schema_context("utrecht"), connection.cursor() as cursor:
            cursor.execute("DELETE FROM account_emailaddress")
            with pytest.raises(IntegrityError), transaction.atomic():
                cursor.execute(statement, [admin.id])

    def test_another_admin_can_be_blocked(self, on, admin):
        make("ADMIN", "bea@utrecht.example")
        with schema_context("utrecht"):
            assert User.objects.filter(email="bea@utrecht.example").update(is_active=False) == 1


class TestAsking:
    """What is asked at an address that an admin typed."""

    def trouble(self, idp, **faults):
        idp.faults.update(faults)
        with pytest.raises(fetching.ProviderTrouble) as found:
            configuring.try_out(issuer=idp.issuer)
        return found.value.code

    def test_a_good_provider_passes(self, idp):
        configuring.try_out(issuer=idp.issuer)
        configuring.try_out(issuer=f"{idp.issuer}/.well-known/openid-configuration")

    @pytest.mark.parametrize(
        ("faults", "code"),
        [
            ({"document": {"issuer": "https://login.example/{tenantid}/v2.0"}}, "OTHER_ISSUER"),
            ({"document": {"token_endpoint": None}}, "INCOMPLETE"),
            ({"document": {"token_endpoint": "file:///etc/passwd"}}, "NO_ADDRESS"),
            ({"document": {"response_types_supported": ["id_token"]}}, "NO_CODE_FLOW"),
            ({"document": {"id_token_signing_alg_values_supported": ["HS256"]}}, "NO_SIGNATURE"),
            ({"document": {"token_endpoint_auth_methods_supported": ["private_key_jwt"]}}, "NO_SECRET"),
            ({"keys": {"keys": []}}, "NO_KEYS"),
            ({"keys": {"keys": "x"}}, "NO_KEYS"),
            ({"raw": b"<html>"}, "NOT_JSON"),
            ({"raw": b"[]"}, "NOT_JSON"),
            ({"raw": b'"' + b"x" * 600_000 + b'"'}, "TOO_LARGE"),
            ({"redirect": "http://127.0.0.1:1/"}, "REDIRECTS"),
        ],
        ids=str,
    )
    def test_what_is_wrong_is_named(self, idp, faults, code):
        assert self.trouble(idp, **faults) == code

    def test_a_slow_provider_is_not_waited_for(self, idp, monkeypatch):
        monkeypatch.setattr(fetching, "SECONDS", 0.3)
        began = time.monotonic()
        assert self.trouble(idp, seconds=2) == "TOO_SLOW"
        assert time.monotonic() - began < 1.5

    @pytest.mark.parametrize(
        ("url", "code"),
        [
            ("http://login.example/", "NOT_HTTPS"),
            ("https://127.0.0.1/", "INSIDE"),
            ("https://10.1.2.3/", "INSIDE"),
            ("https://169.254.169.254/latest", "INSIDE"),
            ("https://[::1]/", "INSIDE"),
            ("https://[::ffff:10.0.0.1]/", "INSIDE"),
            ("https://[64:ff9b::a00:1]/", "INSIDE"),
            ("https://[fd00::1]/", "INSIDE"),
            ("https://user:word@login.example/", "NO_ADDRESS"),
            ("https://", "NO_ADDRESS"),
            ("https://[x/", "NO_ADDRESS"),
            ("gopher://login.example/", "NO_ADDRESS"),
        ],
    )
    def test_in_production_nothing_inside_is_asked(self, settings, url, code):
        settings.DEVELOPMENT = False
        with pytest.raises(fetching.ProviderTrouble) as found:
            fetching.get_json(url=url)
        assert found.value.code == code

    def test_in_production_a_name_that_stands_for_an_address_inside_is_not_connected_to(self, settings, idp):
        settings.DEVELOPMENT = False
        with pytest.raises(fetching.ProviderTrouble) as found:
            fetching.get_json(url=f"https://localhost:{idp.port}/")
        assert found.value.code == "INSIDE"
        assert idp.asked == []

    def test_a_provider_is_asked_once_a_minute_however_many_come_and_anew_when_settings_are_saved(self, on, admin):
        on.asked.clear()
        remembering.forget()
        for _ in range(5):
            client().get("/sign-in/provider/")
        assert len(on.asked) == 1
        with schema_context("utrecht"):  # by another process: this one knows it from the row alone
            SignOn.objects.update(changed_at=FROZEN_AT + timedelta(seconds=1))
        client().get("/sign-in/provider/")
        assert len(on.asked) == 2
