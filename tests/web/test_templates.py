"""The admin's pages of templates: what stands with Meta, why, and what an admin may do about it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_tenants.utils import schema_context

from audit.models import Entry
from messaging.models import UNASSIGNED, Template, TemplateSync
from messaging.templates import tasks, updates
from messaging.templates.defaults import DEFAULTS
from messaging.templates.submitting import problems_of
from messaging.templates.taking import put_components
from tenants.models import DeclaredPurpose
from tests.conftest import FROZEN_AT as AT
from web import template_words


@pytest.fixture
def admin(people):
    """Return a browser of Utrecht's admin."""
    return people("utrecht", "ADMIN")


@pytest.fixture(autouse=True)
def begun(monkeypatch) -> list[str]:
    """Note which looks were queued, in place of queueing them."""
    queued: list[str] = []

    def begin(*, schema_name: str) -> bool:
        queued.append(schema_name)
        return True

    monkeypatch.setattr(tasks, "begin", begin)
    return queued


def page(client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status
    return answer.content.decode()


def tell(template: Template, field: str, at, **value) -> None:
    """Have Meta tell something of a template."""
    named = {"message_template_name": template.name, "message_template_language": template.language}
    with schema_context("utrecht"):
        updates.apply(field=field, value={**named, **value}, waba_id=template.waba_id, at_entry=at)


def sync(utrecht, **values) -> None:
    """Have looked at Utrecht's templates, with this result."""
    with schema_context("utrecht"):
        TemplateSync.objects.update_or_create(waba_id=utrecht.numbers.get().waba_id, defaults=values)


class TestList:
    def test_it_says_that_nobody_looked_yet(self, admin):
        shown = page(admin, "/templates/")
        assert "De templates van Meta zijn nog niet opgehaald." in shown
        assert "Templates van Meta nu ophalen" in shown

    def test_it_says_what_the_last_look_found(self, admin, utrecht, clock):
        sync(utrecht, synced_at=clock.now(), attempted_at=clock.now(), outcome="OK", seen=250, added=2, deleted=1)
        assert "250 templates bij Meta, 2 nieuw, 0 gewijzigd, 1 verwijderd." in page(admin, "/templates/")

    @pytest.mark.parametrize(
        ("failure", "said"),
        [
            ("meta_190", "Meta accepteert onze toegang tot uw account niet meer."),
            ("token_missing", "Wij hebben geen toegang tot uw account bij Meta."),
            ("meta_80007", "Meta vraagt ons te wachten"),
            ("meta_131000", "Meta antwoordde met fout 131000."),
            ("read_timeout", "Meta was niet te bereiken."),
        ],
    )
    def test_it_says_why_the_last_look_failed_and_when_one_succeeded(self, admin, utrecht, clock, failure, said):
        before = clock.now() - timedelta(hours=2)
        sync(utrecht, synced_at=before, attempted_at=clock.now(), outcome="FAILED", failure=failure)
        shown = page(admin, "/templates/")
        assert said in shown
        assert "Het laatste dat lukte was 08:00." in shown

    def test_it_shows_what_has_no_place_as_it_came(self, admin, utrecht, clock):
        raw = {"id": "5", "naam": "<script>"}
        unreadable = [{"why": "name_missing", "raw": raw}]
        sync(utrecht, synced_at=clock.now(), outcome="WITH_PROBLEMS", seen=2, problems=1, unreadable=unreadable)
        shown = page(admin, "/templates/")
        assert "en 1 die niet konden worden overgenomen" in shown
        assert "Hij heeft geen naam:" in shown
        assert "&quot;naam&quot;: &quot;&lt;script&gt;&quot;" in shown

    def test_what_needs_somebody_comes_first(self, admin, utrecht, approved, clock):
        tell(
            approved, "message_template_status_update", clock.now(), event="PAUSED", other_info={"title": "FIRST_PAUSE"}
        )
        shown = page(admin, "/templates/")
        assert "Templates die uw aandacht vragen: 1." in shown
        assert "Voor de eerste keer gepauzeerd, 3 uur lang." in shown
        assert shown.index("vervolg_op_uw_vraag") < shown.index("afspraak_herinnering")

    def test_it_says_why_meta_rejected_one(self, admin, utrecht, approved, clock):
        why = {"reason": "The variables have no examples.", "recommendation": "Give one for each."}
        tell(
            approved,
            "message_template_status_update",
            clock.now(),
            event="REJECTED",
            reason="INVALID_FORMAT",
            rejection_info=why,
        )
        shown = page(admin, "/templates/")
        assert "De vorm klopt niet" in shown
        assert "The variables have no examples. Give one for each." in shown

    def test_it_warns_before_a_template_becomes_marketing_and_says_when_it_is(self, admin, utrecht, approved, clock):
        due = clock.now() + timedelta(days=1)
        notice = {"new_category": "UTILITY", "correct_category": "MARKETING"}
        tell(
            approved,
            "template_category_update",
            clock.now(),
            **notice,
            category_update_timestamp=str(int(due.timestamp())),
        )
        assert "Hij wordt Marketing op 3 mrt 2026 10:00." in page(admin, "/templates/")
        tell(approved, "template_category_update", due, previous_category="UTILITY", new_category="MARKETING")
        assert "Die mag een gemeente niet versturen, dus hij wordt vastgehouden." in page(admin, "/templates/")

    def test_250_templates_cost_as_many_queries_as_three(self, admin, utrecht):
        def cost() -> int:
            with CaptureQueriesContext(connection) as queries:
                page(admin, "/templates/")
            return len(queries)

        before = cost()
        with schema_context("utrecht"):
            Template.objects.bulk_create(
                Template(
                    waba_id="1", name=f"a_{each:03}", language="nl", category="UTILITY", purpose=UNASSIGNED, body="x"
                )
                for each in range(250)
            )
        assert cost() == before
        assert "a_049" in page(admin, "/templates/")
        assert "a_050" not in page(admin, "/templates/")
        assert "a_050" in page(admin, "/templates/?page=2")
        assert "Volgende pagina" not in page(admin, "/templates/?page=6")

    def test_a_supervisor_looks_and_changes_nothing(self, people, utrecht, approved):
        supervisor = people("utrecht", "SUPERVISOR")
        assert "Templates van Meta nu ophalen" not in page(supervisor, "/templates/")
        assert "Geef hem dit doel" not in page(supervisor, f"/templates/{approved.id}/")
        assert supervisor.post("/templates/sync/").status_code == 403
        assert supervisor.post(f"/templates/{approved.id}/purpose/", {"purpose": "CRISIS"}).status_code == 403

    def test_an_agent_does_not_see_them(self, people):
        assert people("utrecht", "AGENT").get("/templates/").status_code == 403


class TestButton:
    def test_it_asks_for_a_look_and_the_page_follows_it(self, admin, utrecht, begun, clock):
        assert admin.post("/templates/sync/").status_code == 302
        assert begun == ["utrecht"]
        shown = page(admin, "/templates/")
        assert "Er is gevraagd de templates van Meta op te halen" in shown
        assert 'hx-get="/templates/sync/"' in shown
        assert "Templates van Meta nu ophalen" not in shown
        from datetime import UTC, datetime

        sync(utrecht, requested_at=None, leased_until=datetime.now(UTC) + timedelta(minutes=5), seen=100)
        busy = admin.get("/templates/sync/", headers={"HX-Request": "true"})
        assert "Gelezen: 100." in busy.content.decode()
        assert "HX-Refresh" not in busy.headers
        sync(utrecht, leased_until=None, outcome="OK", synced_at=clock.now(), seen=250)
        assert admin.get("/templates/sync/", headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"

    def test_it_says_so_when_the_work_in_the_background_is_away(self, admin, utrecht, monkeypatch):
        monkeypatch.setattr(tasks, "begin", lambda *, schema_name: False)
        assert "Het werk op de achtergrond ligt stil." in admin.post("/templates/sync/", follow=True).content.decode()
        with schema_context("utrecht"):
            assert TemplateSync.objects.get().requested_at is not None

    def test_by_hand_its_address_leads_to_the_page(self, admin):
        assert admin.get("/templates/sync/").headers["Location"] == "/templates/"


class TestOne:
    def test_it_shows_every_part_as_citizens_see_it(self, admin, utrecht, approved):
        parts = [
            {"type": "HEADER", "format": "TEXT", "text": "Uw vraag"},
            {"type": "BODY", "text": "Goedendag {{naam}}, wij hebben nieuws."},
            {"type": "FOOTER", "text": "Gemeente Utrecht"},
            {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Bekijk", "url": "https://utrecht.example/"}]},
        ]
        with schema_context("utrecht"):
            put_components(template=approved, found=parts, parameter_format="NAMED")
            approved.save()
        shown = page(admin, f"/templates/{approved.id}/")
        for words in ("Uw vraag", "Goedendag {{naam}}", "Gemeente Utrecht", "Bekijk", "https://utrecht.example/"):
            assert words in shown
        assert "Deze template kan worden verstuurd." in shown

    def test_it_shows_how_it_became_so(self, admin, utrecht, approved, clock):
        tell(
            approved,
            "message_template_status_update",
            clock.now(),
            event="PAUSED",
            other_info={"title": "SECOND_PAUSE"},
        )
        shown = page(admin, f"/templates/{approved.id}/")
        assert "Door Meta gemeld" in shown
        assert "Voor de tweede keer gepauzeerd" in shown
        assert "Dit platform" in shown

    def test_what_cannot_be_read_is_shown_as_it_came(self, admin, utrecht, approved):
        with schema_context("utrecht"):
            put_components(template=approved, found=[{"type": "BODY", "text": {"<b>": 1}}], parameter_format="NAMED")
            approved.save()
        shown = page(admin, f"/templates/{approved.id}/")
        assert "Dit heeft Meta ervan, zoals het kwam:" in shown
        assert "&lt;b&gt;" in shown

    def test_a_draft_says_which_rules_it_breaks(self, admin, utrecht):
        with schema_context("utrecht"):
            draft = Template.objects.get(name="afspraak_herinnering")
            body = {"type": "BODY", "text": "{{naam}}" + "x" * 1100}
            put_components(template=draft, found=[body], parameter_format="NAMED")
            draft.save()
        shown = page(admin, f"/templates/{draft.id}/")
        assert "Dit concept kan niet bij Meta worden ingediend:" in shown
        assert "Tekst: Dit is te lang: 1108 tekens, en er mogen er hoogstens 1024 zijn." in shown
        assert "Tekst: Een tekst mag niet met een variabele beginnen." in shown

    def test_every_rule_has_its_words(self):
        import re
        from pathlib import Path

        from config.local.folders import ROOT

        source = "".join(
            (Path(ROOT) / "messaging" / "templates" / name).read_text()
            for name in ("checking.py", "submitting.py", "editing.py")
        )
        codes = set(re.findall(r'Problem\(\s*"([a-z_]+)"', source)) | {"body_missing", "component_twice"}
        codes |= {"policy_flagged", "policy_waiting", "policy_refused"}
        codes |= {f"too_many_{kind}_buttons" for kind in ("url", "phone_number", "copy_code", "quick_reply", "flow")}
        assert len(codes) > 30
        assert codes - set(template_words.PROBLEMS) == set()

    def test_our_own_templates_break_no_rule(self, utrecht, here_in_utrecht):
        assert [problems_of(template=each, at=AT) for each in Template.objects.all()] == [()] * len(DEFAULTS)

    @pytest.fixture
    def here_in_utrecht(self, utrecht):
        with schema_context("utrecht"):
            yield

    def test_one_of_another_municipality_is_not_there(self, people, delft, approved):
        assert people("delft", "ADMIN").get(f"/templates/{approved.id}/").status_code == 404


class TestAgents:
    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"status": "PAUSED"}, "Meta heeft deze template gepauzeerd"),
            ({"status": "DELETED"}, "Deze template is bij Meta verwijderd."),
            ({"category": "MARKETING"}, "die mag een gemeente niet versturen"),
            ({"purpose": UNASSIGNED}, "Uw beheerder geeft er een, onder Templates."),
        ],
    )
    def test_an_agent_who_was_about_to_send_one_hears_why_not(self, people, thread, approved, change, said):
        with schema_context("utrecht"):
            Template.objects.filter(id=approved.id).update(**change)
        values = {"step": "send", "value-naam": "Piet", "value-onderwerp": "uw vraag"}
        answer = people("utrecht", "AGENT").post(f"/threads/{thread.id}/template/{approved.id}/", values)
        assert answer.status_code == 422
        assert said in answer.content.decode()

    def test_one_that_never_was_is_not_there(self, people, thread, approved):
        with schema_context("utrecht"):
            Template.objects.filter(id=approved.id).update(waba_id="299999999")
        agent = people("utrecht", "AGENT")
        for template_id in (approved.id, thread.id):
            assert agent.get(f"/threads/{thread.id}/template/{template_id}/").status_code == 404


class TestPurpose:
    @pytest.fixture
    def foreign(self, utrecht, clock) -> Template:
        """Return a template that came from Meta."""
        with schema_context("utrecht"):
            Template.objects.filter(name="vervolg_op_uw_vraag").update(purpose=UNASSIGNED, status="APPROVED")
            return Template.objects.get(name="vervolg_op_uw_vraag")

    def test_an_admin_gives_it_one_and_it_is_on_record(self, admin, foreign):
        assert "heeft nog geen doel" in page(admin, "/templates/")
        answer = admin.post(f"/templates/{foreign.id}/purpose/", {"purpose": "PERMITS"}, follow=True)
        assert "De template heeft zijn doel." in answer.content.decode()
        assert "Deze template kan worden verstuurd." in answer.content.decode()
        with schema_context("utrecht"):
            assert Template.objects.get(id=foreign.id).purpose == "PERMITS"
            entry = Entry.objects.get(action="template.assign_purpose")
            assert (entry.actor_name, entry.details) == ("Admin van utrecht", {"from": "UNASSIGNED", "to": "PERMITS"})

    def test_only_declared_purposes_are_offered_and_taken(self, admin, utrecht, foreign):
        DeclaredPurpose.objects.filter(municipality=utrecht, purpose="TOURISM").delete()
        shown = page(admin, f"/templates/{foreign.id}/")
        assert 'value="PERMITS"' in shown
        assert 'value="TOURISM"' not in shown
        for purpose in ("TOURISM", "", "PROMOTION"):
            answer = admin.post(f"/templates/{foreign.id}/purpose/", {"purpose": purpose})
            assert answer.status_code == 422
            assert "Kies een doel dat uw gemeente heeft aangemeld." in answer.content.decode()
        with schema_context("utrecht"):
            assert Template.objects.get(id=foreign.id).purpose == UNASSIGNED
