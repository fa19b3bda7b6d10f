"""The admin writes a template, asks the BSP where words are flagged, hands it in; the BSP judges; periods are set."""

import pytest
from django_tenants.utils import schema_context

from audit.models import Entry
from messaging.core.models import DraftReview
from messaging.models import Template, TemplateSync
from messaging.templates import submitting, syncing
from tenants.models import DeclaredPurpose, ElectionPeriod
from whatsapp.outcomes import CreatedTemplate

GIVEN = {
    "step": "save",
    "name": "balie_dicht",
    "language": "nl",
    "purpose": "SERVICES",
    "header": "Balie dicht",
    "body": "Goedendag {{naam}}, op woensdag is de balie dicht. U kunt een dag later terecht.",
    "footer": "Gemeente Utrecht",
    "reply-0": "Dank u",
    "link_label": "Openingstijden",
    "link": "https://utrecht.example/open",
    "example-naam": "mevrouw De Vries",
}
FLAGGED = "Goedendag {{naam}}, op de dag van de verkiezingen is de balie dicht. U kunt een dag later terecht."


@pytest.fixture
def admin(people):
    """Return a browser of Utrecht's admin."""
    return people("utrecht", "ADMIN")


@pytest.fixture
def judge(people):
    """Return a browser of the BSP's onboarding."""
    return people("public", "BSP_ONBOARDING")


def given(utrecht, **changes):
    return {**GIVEN, "account": utrecht.numbers.get().waba_id, **changes}


def only(name="balie_dicht") -> Template:
    with schema_context("utrecht"):
        return Template.objects.get(name=name)


def text(answer, status=200) -> str:
    assert answer.status_code == status
    return " ".join(answer.content.decode().split())


class TestWriting:
    def test_a_draft_is_saved_as_meta_writes_it(self, admin, utrecht):
        shown = text(admin.post("/templates/new/", given(utrecht), follow=True))
        assert "Het concept is opgeslagen." in shown
        draft = only()
        assert (draft.status, draft.category, draft.purpose, draft.problem) == ("DRAFT", "UTILITY", "SERVICES", "")
        assert [each["type"] for each in draft.components] == ["HEADER", "BODY", "FOOTER", "BUTTONS"]
        assert draft.components[1]["example"] == {
            "body_text_named_params": [{"param_name": "naam", "example": "mevrouw De Vries"}]
        }
        assert [each["type"] for each in draft.components[3]["buttons"]] == ["QUICK_REPLY", "URL"]
        assert "Bij Meta indienen" in shown
        with schema_context("utrecht"):
            assert Entry.objects.get(action="template.draft").actor_name == "Admin van utrecht"
            assert draft.versions.get().source == "OURS"

    def test_it_comes_back_as_it_was_written_and_is_changed(self, admin, utrecht):
        admin.post("/templates/new/", given(utrecht))
        path = f"/templates/{only().id}/edit/"
        shown = text(admin.get(path))
        for name in ("header", "footer", "link", "link_label", "reply-0", "example-naam"):
            assert f'value="{GIVEN[name]}"' in shown
        changed = {**GIVEN, "header": "", "reply-0": "", "link": "", "link_label": "", "footer": ""}
        assert admin.post(path, changed).status_code == 302
        assert [each["type"] for each in only().components] == ["BODY"]
        with schema_context("utrecht"):
            assert only().versions.count() == 2
            admin.post(path, changed)  # the same again changes nothing
            assert only().versions.count() == 2

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"name": "Balie dicht"}, "Geef het een naam van kleine letters"),
            ({"name": ""}, "Geef het een naam van kleine letters"),
            ({"name": "x" * 513}, "Geef het een naam van kleine letters"),
            ({"name": "vervolg_op_uw_vraag"}, "Er is al een template met deze naam"),
            ({"language": "fy"}, "Kies een taal."),
            ({"purpose": ""}, "Kies een doel dat uw gemeente heeft aangemeld."),
            ({"purpose": "TOURISM"}, "Kies een doel dat uw gemeente heeft aangemeld."),
            ({"body": "x" * 5000}, "veel te lang"),
            ({"account": "299999999"}, "Kies een van uw accounts."),
        ],
    )
    def test_what_cannot_be_saved_is_said_and_nothing_is_lost(self, admin, utrecht, changes, said):
        DeclaredPurpose.objects.filter(municipality=utrecht, purpose="TOURISM").delete()
        shown = text(admin.post("/templates/new/", given(utrecht, **changes)), status=422)
        assert said in shown
        assert 'value="Gemeente Utrecht"' in shown
        with schema_context("utrecht"):
            assert not Entry.objects.filter(action="template.draft").exists()

    def test_it_looks_as_on_a_phone_while_it_is_written(self, admin, utrecht):
        values = given(utrecht, step="", known="", **{"example-naam": "Piet"})
        answer = text(admin.post("/templates/new/", values, headers={"HX-Request": "true"}))
        assert "Goedendag Piet, op woensdag" in answer
        assert "<html" not in answer
        assert 'name="example-naam"' in answer  # the variable is new to the page
        again = text(admin.post("/templates/new/", values | {"known": "naam "}, headers={"HX-Request": "true"}))
        assert 'name="example-naam"' not in again  # so that no field is taken from under somebody's hands
        with schema_context("utrecht"):
            assert not Template.objects.filter(name="balie_dicht").exists()

    def test_metas_rules_and_flagged_words_are_named_before_it_is_saved(self, admin, utrecht):
        values = given(utrecht, step="preview", body="{{naam}} {{naam2}}: de verkiezingen!")
        shown = text(admin.post("/templates/new/", values))
        assert "verkiezingen (een verkiezing beïnvloeden)" in shown
        assert "Voordat het bij Meta kan worden ingediend:" in shown

    def test_what_meta_has_is_not_changed_here(self, admin, approved):
        assert admin.get(f"/templates/{approved.id}/edit/").status_code == 404
        assert admin.post(f"/templates/{approved.id}/edit/", GIVEN).status_code == 404


class TestJudging:
    @pytest.fixture
    def flagged(self, admin, utrecht) -> Template:
        """Return a flagged draft."""
        admin.post("/templates/new/", given(utrecht, body=FLAGGED))
        return only()

    def test_it_goes_from_the_admin_to_the_bsp_and_back(self, admin, judge, flagged):
        shown = text(admin.get(f"/templates/{flagged.id}/"))
        assert "Vraag de aanbieder" in shown
        assert "Bij Meta indienen" not in shown
        assert "heeft nog niet geantwoord" in text(admin.post(f"/templates/{flagged.id}/review/", follow=True))
        assert "Utrecht: balie_dicht" in text(judge.get("/drafts/"))
        path = f"/drafts/{DraftReview.objects.get().id}/"
        assert "verkiezingen (een verkiezing beïnvloeden)" in text(judge.get(path))
        assert "Zeg waarom" in text(judge.post(path, {"decision": "refuse", "reason": " "}), status=422)
        assert "Kies of het" in text(judge.post(path, {"reason": "Daarom"}), status=422)
        assert DraftReview.objects.get().state == "WAITING"
        judge.post(path, {"decision": "release", "reason": "Het gaat over openingstijden."})
        assert "Iemand anders heeft intussen beslist" in text(
            judge.post(path, {"decision": "refuse", "reason": "Toch niet."}, follow=True)
        )
        shown = text(admin.get(f"/templates/{flagged.id}/"))
        assert "Het gaat over openingstijden." in shown
        assert "Bij Meta indienen" in shown

    def test_a_refusal_is_read_with_its_reason(self, admin, judge, flagged):
        admin.post(f"/templates/{flagged.id}/review/")
        review = DraftReview.objects.get()
        judge.post(f"/drafts/{review.id}/", {"decision": "refuse", "reason": "Noem de verkiezingen niet."})
        shown = text(admin.get(f"/templates/{flagged.id}/"))
        assert "Noem de verkiezingen niet." in shown
        assert "Bij Meta indienen" not in shown
        with schema_context("public"):
            assert Entry.objects.get(action="template.decide_review").details["state"] == "REFUSED"


class TestHandingIn:
    @pytest.fixture(autouse=True)
    def handed(self, monkeypatch) -> list[str]:
        """Have a look at Meta's go well, and note what is handed in."""
        names: list[str] = []

        async def create(template, _token):
            names.append(template.name)
            return CreatedTemplate(template_id="900", status="PENDING", category="UTILITY")

        monkeypatch.setattr(syncing, "sync", lambda **_: TemplateSync(outcome="OK"))
        monkeypatch.setattr(submitting, "_create", create)
        return names

    def test_it_is_handed_in_once_and_is_on_record(self, admin, utrecht, handed):
        admin.post("/templates/new/", given(utrecht))
        path = f"/templates/{only().id}/submit/"
        assert "Meta heeft het." in text(admin.post(path, follow=True))
        assert "Het is geen concept meer." in text(admin.post(path, follow=True))
        assert handed == ["balie_dicht"]
        assert (only().status, only().meta_id) == ("PENDING", "900")
        with schema_context("utrecht"):
            assert Entry.objects.get(action="template.submit").details == {"outcome": "PENDING"}

    @pytest.mark.parametrize("body", [FLAGGED, "{{naam}}"])
    def test_what_breaks_a_rule_never_leaves(self, admin, utrecht, handed, body):
        admin.post("/templates/new/", given(utrecht, body=body))
        assert "Het is niet ingediend." in text(admin.post(f"/templates/{only().id}/submit/", follow=True))
        assert handed == []
        assert only().status == "DRAFT"


class TestElections:
    FORM = {"name": "Gemeenteraad 2026", "begins": "2026-03-02", "ends": "2026-03-18"}

    def test_an_admin_sets_one_for_its_own_and_the_bsp_one_for_all(self, admin, judge, utrecht, clock):
        admin.post("/elections/", {**self.FORM, "municipality": "delft"})
        assert ElectionPeriod.objects.get().municipality == utrecht
        judge.post("/elections/", {**self.FORM, "name": "Tweede Kamer", "municipality": ""})
        assert ElectionPeriod.objects.get(name="Tweede Kamer").municipality is None
        shown = text(admin.get("/elections/"))
        assert "Tweede Kamer" in shown
        assert shown.count("beëindigen") == 1  # its own alone
        for_all = ElectionPeriod.objects.get(name="Tweede Kamer")
        assert admin.post(f"/elections/{for_all.id}/lift/").status_code == 404
        assert admin.get(f"/elections/{for_all.id}/lift/").status_code == 404
        assert "nu beëindigen?" in text(judge.get(f"/elections/{for_all.id}/lift/"))
        judge.post(f"/elections/{for_all.id}/lift/")
        assert ElectionPeriod.objects.get(name="Tweede Kamer").lifted_at == clock.now()

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"name": ""}, "Zeg welke verkiezing het is."),
            ({"ends": "2026-03-01"}, "De laatste dag ligt voor de eerste."),
            ({"begins": "gisteren"}, "Geef de eerste en de laatste dag."),
            ({"ends": ""}, "Geef de eerste en de laatste dag."),
            ({"ends": "2027-03-01"}, "hoogstens 120 dagen"),
            ({"municipality": "atlantis"}, "Die gemeente is er niet."),
        ],
    )
    def test_what_cannot_be_is_said_and_nothing_is_lost(self, judge, clock, changes, said):
        shown = text(judge.post("/elections/", {**self.FORM, **changes}), status=422)
        assert said in shown
        assert f'value="{changes.get("begins", "2026-03-02")}"' in shown
        assert not ElectionPeriod.objects.exists()
