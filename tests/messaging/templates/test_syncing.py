"""A look at all of an account's templates: whole, whatever one of them is, and never mistaken about what is gone."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from messaging.models import Template, TemplateAlert, TemplateSync
from messaging.replying import TemplateUnusable, send_template
from messaging.templates import leasing, syncing
from messaging.templates.defaults import DEFAULTS
from messaging.templates.syncing import SyncUnderWay, sync
from tests.messaging.templates.conftest import BODY, COMPONENTS, listed


@pytest.fixture
def look(utrecht, here, clock):
    """Return what looks at Utrecht's templates, a second after the last time."""

    def looked() -> TemplateSync:
        clock.move(seconds=1)
        return sync(number=utrecht.numbers.get(), at=clock.now())

    return looked


def counts(result: TemplateSync) -> dict[str, Any]:
    names = ("outcome", "seen", "added", "changed", "deleted", "problems")
    return {name: getattr(result, name) for name in names}


def statuses() -> dict[str, str]:
    return dict(Template.objects.exclude(status="DRAFT").values_list("name", "status"))


class TestAgainstTheSandbox:
    def test_250_templates_come_in_over_all_pages(self, sandbox, look, clock):
        sandbox.has(*(listed(f"sjabloon_{place:03}") for place in range(250)))
        result = look()
        assert counts(result) == {
            "outcome": "OK",
            "seen": 250,
            "added": 250,
            "changed": 0,
            "deleted": 0,
            "problems": 0,
        }
        assert (result.synced_at, result.leased_until, result.failure) == (clock.now(), None, "")
        taken = Template.objects.filter(name__startswith="sjabloon_")
        assert taken.count() == 250
        one = taken.get(name="sjabloon_249")
        assert (one.body, one.purpose, one.status, one.category) == (BODY, "UNASSIGNED", "APPROVED", "UTILITY")
        assert one.parameters == [{"name": "naam", "example": "mevrouw De Vries"}]
        version = one.versions.get()
        assert (version.source, version.changed) == ("LOOK", ["status", "category", "components"])

    def test_a_second_look_changes_nothing(self, sandbox, look):
        sandbox.has(*(listed(f"sjabloon_{place}") for place in range(30)))
        look()
        before = list(Template.objects.order_by("id").values("id", "status", "components"))
        assert counts(look()) | {"outcome": ""} == {
            "outcome": "",
            "seen": 30,
            "added": 0,
            "changed": 0,
            "deleted": 0,
            "problems": 0,
        }
        assert list(Template.objects.order_by("id").values("id", "status", "components")) == before
        assert not Template.objects.get(name="sjabloon_1").versions.filter(number__gt=1).exists()

    def test_what_differs_is_taken_over_and_what_meta_deleted_is_marked(self, sandbox, look):
        sandbox.has(listed("blijft"), listed("verandert"), listed("verdwijnt"))
        look()
        sandbox.delete("verdwijnt")
        other = [{"type": "BODY", "text": "Goedendag, uw aanvraag is klaar."}]
        sandbox.has(listed("blijft"), listed("verandert", components=other, status="PAUSED"))
        result = look()
        assert (result.changed, result.deleted, result.added) == (1, 1, 0)
        assert statuses() == {"blijft": "APPROVED", "verandert": "PAUSED", "verdwijnt": "DELETED"}
        changed = Template.objects.get(name="verandert")
        assert (changed.body, changed.parameters) == ("Goedendag, uw aanvraag is klaar.", [])
        assert changed.versions.latest("number").changed == ["status", "components"]
        assert Template.objects.filter(status="DRAFT").count() == len(DEFAULTS)

    def test_drafts_of_ours_are_left_alone_until_meta_has_them(self, sandbox, look):
        look()
        assert set(Template.objects.values_list("status", flat=True)) == {"DRAFT"}
        sandbox.has(listed("vervolg_op_uw_vraag"))
        result = look()
        assert (result.added, result.changed) == (0, 1)
        taken = Template.objects.get(name="vervolg_op_uw_vraag")
        assert (taken.status, taken.purpose, taken.body) == ("APPROVED", "SERVICES", BODY)

    def test_a_template_that_is_skipped_while_pages_shift_is_not_taken_for_deleted(self, sandbox, look, monkeypatch):
        sandbox.has(*(listed(f"sjabloon_{place:03}") for place in range(150)))
        look()
        prolong = leasing.prolong

        def delete_one(*, waba_id: str) -> None:
            prolong(waba_id=waba_id)
            sandbox.delete("sjabloon_000") if "sjabloon_000" in statuses() and not gone else None
            gone.append(True)

        gone: list[bool] = []
        monkeypatch.setattr(leasing, "prolong", delete_one)
        result = look()
        assert result.deleted == 0
        assert statuses()["sjabloon_100"] == "APPROVED"
        monkeypatch.undo()
        assert look().deleted == 1
        assert [name for name, status in statuses().items() if status == "DELETED"] == ["sjabloon_000"]

    def test_an_odd_template_is_kept_and_stops_no_other(self, sandbox, look, thread, agent, clock):
        sandbox.has(
            listed("a_goed"),
            listed("b_onbekend", status="HIBERNATING"),
            listed("c_zonder_tekst", components=[{"type": "BODY"}]),
            listed("d_te_lang", components=[{"type": "BODY", "text": "x" * 1100}]),
            listed("e" * 600),
            listed("z_goed"),
        )
        result = look()
        assert counts(result) == {
            "outcome": "WITH_PROBLEMS",
            "seen": 6,
            "added": 5,
            "changed": 0,
            "deleted": 0,
            "problems": 4,
        }
        assert [each["why"] for each in result.unreadable] == ["name_too_long"]
        assert result.unreadable[0]["raw"]["name"] == "e" * 600
        found = {each.name: each for each in Template.objects.exclude(status="DRAFT")}
        assert (found["b_onbekend"].status, found["b_onbekend"].meta_status) == ("UNKNOWN", "HIBERNATING")
        assert found["c_zonder_tekst"].components == [{"type": "BODY"}]
        problems = {name: each.problem for name, each in found.items() if each.problem}
        assert problems == {"c_zonder_tekst": "COMPONENTS_UNREADABLE", "d_te_lang": "TOO_LONG"}
        kinds = TemplateAlert.objects.order_by("kind").values_list("kind", flat=True)
        assert list(kinds) == ["UNKNOWN_STATUS", "UNREADABLE", "UNREADABLE"]
        Template.objects.update(purpose="SERVICES")
        with pytest.raises(TemplateUnusable, match="template_unreadable"):
            send_template(
                thread_id=thread.id, template_id=found["d_te_lang"].id, values={}, actor=agent, at=clock.now()
            )

    def test_a_wrong_token_fails_the_look_and_changes_nothing(self, sandbox, look, utrecht):
        sandbox.has(listed("blijft"))
        look()
        number = utrecht.numbers.get()
        number.set_access_token("another")
        number.save()
        result = look()
        assert (result.outcome, result.failure) == ("FAILED", "meta_190")
        assert statuses() == {"blijft": "APPROVED"}
        assert result.synced_at < result.attempted_at

    def test_the_command_says_what_it_found(self, sandbox, capsys, clock):
        sandbox.has(listed("een"), listed("twee", status="HIBERNATING"))
        call_command("sync_templates", "utrecht")
        written = capsys.readouterr().out
        assert "WITH_PROBLEMS, 2 seen, 2 added, 0 changed, 0 deleted, 1 problems" in written
        with pytest.raises(CommandError, match="nergens"):
            call_command("sync_templates", "nergens")


class TestOddAnswers:
    @pytest.mark.parametrize(
        "item",
        [
            7,
            None,
            "naam",
            {},
            {"id": "5"},
            {"id": "5", "name": ""},
            {"id": "5", "name": "x", "language": "x" * 11},
            {"id": "5" * 41, "name": "x", "language": "nl"},
            {"id": "5", "name": {"x": 1}, "language": "nl"},
        ],
    )
    def test_what_cannot_be_told_apart_is_kept_as_it_came(self, shelf, look, item):
        shelf.page({"id": "1", **listed("a")}, item, {"id": "2", **listed("b")})
        result = look()
        assert (result.outcome, result.seen, result.problems) == ("WITH_PROBLEMS", 3, 1)
        assert [each["raw"] for each in result.unreadable] == [item]
        assert statuses() == {"a": "APPROVED", "b": "APPROVED"}

    @pytest.mark.parametrize(
        "odd",
        [
            {"components": None},
            {"components": "tekst"},
            {"components": [7]},
            {"components": {"type": "BODY"}},
            {"components": [{"type": "BODY", "text": {"a": 1}}]},
            {"components": [{"type": "BODY", "text": "a\u0000b"}]},
            {"components": [*COMPONENTS, *COMPONENTS]},
            {"category": None},
            {"category": 7},
            {"category": "x" * 300},
            {"status": None},
            {"status": ["APPROVED"]},
            {"status": "x" * 300},
            {"quality_score": "GREEN"},
            {"quality_score": {"score": "x" * 300}},
            {"rejected_reason": "x" * 300},
            {"parameter_format": "MORSE"},
            {"components": [{"type": "BODY", "text": "Dag {{1}}", "example": {"body_text": 7}}]},
            {"components": [{"type": "BODY", "text": "Dag {{1}}", "example": {"body_text_named_params": [{}]}}]},
        ],
    )
    def test_an_odd_part_is_survived(self, shelf, look, odd):
        shelf.page({"id": "1", **listed("a")}, {"id": "2", **listed("odd", **odd)}, {"id": "3", **listed("z")})
        assert look().outcome in {"OK", "WITH_PROBLEMS"}
        assert Template.objects.filter(name__in=["a", "odd", "z"]).count() == 3
        assert look().changed == 0

    @pytest.mark.parametrize("code", [4, 190, 80007, 131000])
    def test_what_was_read_before_meta_refused_stays_and_nothing_is_taken_for_deleted(self, shelf, look, code):
        shelf.page({"id": "1", **listed("a")}, {"id": "2", **listed("b")})
        look()
        shelf.answers.clear()
        shelf.page({"id": "1", **listed("a", status="PAUSED")}, after="c1")
        shelf.refuse(code)
        result = look()
        assert (result.outcome, result.failure, result.deleted) == ("FAILED", f"meta_{code}", 0)
        assert statuses() == {"a": "PAUSED", "b": "APPROVED"}

    @pytest.mark.parametrize(("status", "body"), [(500, "oops"), (200, {}), (200, {"data": None}), (200, [])])
    def test_an_answer_without_templates_does_not_pass_for_an_empty_account(self, shelf, look, status, body):
        shelf.page({"id": "1", **listed("a")})
        look()
        shelf.answers.clear()
        shelf.say(status, body)
        assert look().outcome == "FAILED"
        assert statuses() == {"a": "APPROVED"}

    @pytest.mark.parametrize("code", [1, 2])
    def test_where_meta_finds_a_page_too_much_smaller_ones_are_asked_for(self, shelf, look, code):
        shelf.page({"id": "1", **listed("a")}, after="c1")
        shelf.refuse(code)
        shelf.page({"id": "2", **listed("b")}, after="c2")
        shelf.page({"id": "3", **listed("c")})
        assert (look().outcome, set(statuses())) == ("OK", {"a", "b", "c"})
        asked = [("limit=100" in path, "limit=25" in path, "after=c1" in path) for path in shelf.paths]
        assert asked == [(True, False, False), (True, False, True), (False, True, True), (False, True, False)]

    def test_a_page_that_never_comes_fails_the_look(self, shelf, look):
        shelf.say(500, "oops")
        result = look()
        assert (result.outcome, result.failure, len(shelf.paths)) == ("FAILED", "server_error", 3)

    def test_a_listing_in_circles_ends(self, shelf, look, monkeypatch):
        monkeypatch.setattr(syncing, "MOST_PAGES", 5)
        for place in range(6):
            shelf.page({"id": "1", **listed("a")}, after=f"c{place % 2}")
        result = look()
        assert (result.outcome, result.failure) == ("FAILED", "unreadable_answer")

    def test_one_that_is_not_listed_is_asked_for_before_it_counts_as_deleted(self, shelf, look):
        shelf.page({"id": "1", **listed("a")}, {"id": "2", **listed("b")})
        look()
        shelf.answers.clear()
        shelf.page({"id": "1", **listed("a")})
        shelf.say(200, {"id": "2", **listed("b", status="PENDING_DELETION")})
        assert (look().deleted, statuses()["b"]) == (0, "PENDING_DELETION")
        shelf.answers.clear()
        shelf.page({"id": "1", **listed("a")})
        shelf.refuse(100)
        assert (look().deleted, statuses()["b"]) == (1, "DELETED")
        assert "/2?" in shelf.paths[-1]


class TestTurns:
    def test_only_one_look_at_a_time(self, shelf, look, utrecht, clock):
        shelf.page()
        waba_id = utrecht.numbers.get().waba_id
        assert leasing.acquire(waba_id=waba_id, at=clock.now())
        with pytest.raises(SyncUnderWay):
            look()
        TemplateSync.objects.update(leased_until=clock.now() - timedelta(days=400))  # whoever looked was killed
        assert look().outcome == "OK"

    def test_what_was_told_while_it_looked_stands_and_another_look_is_asked_for(
        self, sandbox, look, hear, monkeypatch, clock
    ):
        sandbox.has(listed("een"))
        look()
        take = syncing._take
        told: list[bool] = []

        def told_meanwhile(*arguments: Any) -> None:
            if not told:
                told.append(True)
                sandbox.decide("een", "pause")
                hear()
            take(*arguments)

        monkeypatch.setattr(syncing, "_take", told_meanwhile)
        result = look()
        assert statuses() == {"een": "PAUSED"}
        assert result.requested_at is not None
        assert look().requested_at is None

    def test_a_request_during_a_look_is_not_lost(self, shelf, look, utrecht, clock, monkeypatch):
        from messaging.templates import requesting

        shelf.page()
        prolong = leasing.prolong

        def ask(*, waba_id: str) -> None:
            prolong(waba_id=waba_id)
            requesting.request(waba_id=waba_id, at=clock.now())

        monkeypatch.setattr(leasing, "prolong", ask)
        assert look().requested_at == clock.now()

    def test_no_token_is_said_as_it_is(self, look, utrecht):
        utrecht.numbers.update(access_token_encrypted=None)
        assert (look().outcome, TemplateSync.objects.get().failure) == ("FAILED", "token_missing")

    def test_nothing_of_the_token_is_kept(self, shelf, look):
        shelf.refuse(190, status=401)
        look()
        assert "token-of-utrecht" not in json.dumps(list(TemplateSync.objects.values()), default=str)
