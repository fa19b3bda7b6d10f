"""What Meta says of numbers and accounts: beside each number the latest word, in whatever order it comes."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from messaging.figures import ACCOUNT_UPDATES
from messaging.models import InboxEvent
from tenants import health as tell_health
from tenants.models import Number, NumberHealth, Trouble
from tests.messaging import meta

AT = int(meta.RECEIVED_AT.timestamp())

pytestmark = pytest.mark.usefixtures("here", "clock")


@pytest.fixture
def second(utrecht) -> Number:
    """Return a second number of Utrecht's, of the same account."""
    number = utrecht.numbers.get()
    return Number.objects.create(
        municipality=utrecht,
        phone_number_id="1000000000999",
        waba_id=number.waba_id,
        display_phone_number="+31970109999",
        pseudonym_key_encrypted=number.pseudonym_key_encrypted,
        opened_at=number.opened_at,
    )


def health() -> NumberHealth:
    return NumberHealth.objects.order_by("id").first()


def open_kinds() -> set[str]:
    return set(Trouble.objects.filter(closed_at=None).values_list("kind", flat=True))


def told(municipality, field: str, at: int = AT, **value):
    waba_id = Number.objects.filter(municipality=municipality).order_by("id").first().waba_id
    return meta.account(waba_id=waba_id, field=field, at=at, value=value)


def shown(municipality) -> str:
    return Number.objects.filter(municipality=municipality).order_by("id").first().display_phone_number.lstrip("+")


class TestANumber:
    def test_a_flagged_one_is_in_trouble_until_it_is_unflagged(self, utrecht):
        number = {"display_phone_number": shown(utrecht)}
        meta.receive(utrecht, told(utrecht, "phone_number_quality_update", **number, event="FLAGGED"))
        assert (health().quality, open_kinds()) == ("RED", {"QUALITY"})
        assert Trouble.objects.get().opened_at == meta.RECEIVED_AT
        meta.receive(utrecht, told(utrecht, "phone_number_quality_update", AT + 60, **number, event="UNFLAGGED"))
        assert (health().quality, open_kinds()) == ("UNKNOWN", set())

    def test_an_older_word_never_overwrites_a_newer_one(self, utrecht):
        number = {"display_phone_number": shown(utrecht)}
        meta.receive(utrecht, told(utrecht, "phone_number_quality_update", AT + 60, **number, event="UNFLAGGED"))
        meta.receive(utrecht, told(utrecht, "phone_number_quality_update", AT, **number, event="FLAGGED"))
        assert (health().quality, open_kinds()) == ("UNKNOWN", set())

    def test_more_throughput_makes_its_lane_faster(self, utrecht):
        number = {"display_phone_number": "+" + shown(utrecht)}
        value = {"event": "THROUGHPUT_UPGRADE", "current_limit": "TIER_UNLIMITED"}
        meta.receive(utrecht, told(utrecht, "phone_number_quality_update", **number, **value))
        assert (utrecht.numbers.get().messages_per_second, health().messaging_limit) == (1000, "TIER_UNLIMITED")

    def test_a_name_is_only_taken_over_when_it_is_approved(self, utrecht):
        base = {"display_phone_number": shown(utrecht), "requested_verified_name": "Gemeente Utrecht"}
        rejected = {**base, "decision": "REJECTED", "rejection_reason": "NAME_EMPLOYEE_OR_CUSTOMER"}
        meta.receive(utrecht, told(utrecht, "phone_number_name_update", **rejected))
        assert (health().verified_name, health().name_decision) == ("", "REJECTED")
        assert health().name_rejection == "NAME_EMPLOYEE_OR_CUSTOMER"
        meta.receive(utrecht, told(utrecht, "phone_number_name_update", AT + 1, **base, decision="APPROVED"))
        assert (health().verified_name, health().name_rejection) == ("Gemeente Utrecht", "")

    def test_somebody_who_asks_for_its_pin_is_noticed(self, utrecht):
        number = {"display_phone_number": shown(utrecht), "requester": "1"}
        meta.receive(utrecht, told(utrecht, "security", **number, event="PIN_RESET_REQUEST"))
        assert open_kinds() == {"PIN"}
        meta.receive(utrecht, told(utrecht, "security", AT + 5, **number, event="PIN_CHANGED"))
        assert open_kinds() == set()

    def test_a_username_and_an_alert_are_kept(self, utrecht):
        number = {"display_phone_number": shown(utrecht)}
        value = {"username": "gemeente.utrecht", "status": "approved"}
        meta.receive(utrecht, told(utrecht, "business_username_update", **number, **value))
        alert = {"alert_type": "PROFILE_PICTURE_LOST", "alert_severity": "WARNING"}
        alerted = {"entity_type": "PHONE_NUMBER", "entity_id": meta.number_id(utrecht), "alert_info": alert}
        meta.receive(utrecht, told(utrecht, "account_alerts", **alerted))
        found = health()
        assert (found.username, found.username_status, found.alert) == (
            "gemeente.utrecht", "APPROVED", "PROFILE_PICTURE_LOST",
        )  # fmt: skip

    def test_a_number_that_is_not_ours_changes_nothing(self, utrecht):
        meta.receive(utrecht, told(utrecht, "security", display_phone_number="31600000000", event="PIN_CHANGED"))
        assert not NumberHealth.objects.exists()
        assert InboxEvent.objects.get().state == "APPLIED"


class TestAnAccount:
    @pytest.mark.parametrize(
        ("value", "kind"),
        [
            ({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}}, "LOCKED"),
            ({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "SCHEDULE_FOR_DISABLE"}}, "RESTRICTED"),
            ({"event": "ACCOUNT_VIOLATION", "violation_info": {"violation_type": "SCAM"}}, "RESTRICTED"),
            (
                {
                    "event": "ACCOUNT_RESTRICTION",
                    "restriction_info": [{"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": AT}],
                },
                "RESTRICTED",
            ),
            ({"event": "ACCOUNT_DELETED"}, "DISCONNECTED"),
            ({"event": "ACCOUNT_OFFBOARDED"}, "DISCONNECTED"),
        ],
    )
    def test_what_stops_it_stops_each_of_its_numbers(self, utrecht, second, value, kind):
        meta.receive(utrecht, told(utrecht, "account_update", **value))
        assert set(Trouble.objects.values_list("kind", flat=True)) == {kind}
        assert Trouble.objects.count() == 2

    @pytest.mark.parametrize("event", ["PARTNER_REMOVED", "PARTNER_APP_UNINSTALLED"])
    def test_who_leaves_us_comes_under_our_own_portfolio_and_can_come_back(self, utrecht, event):
        info = {"waba_id": utrecht.numbers.get().waba_id, "owner_business_id": "7"}
        for at, said in ((AT, event), (AT + 1, "PARTNER_ADDED")):
            value = {"event": said, "waba_info": info}
            meta.receive(utrecht, meta.account(waba_id="35602282435505", field="account_update", at=at, value=value))
            assert open_kinds() == ({"DISCONNECTED"} if said == event else set())

    def test_a_restriction_ends_by_itself_at_the_moment_that_meta_named(self, utrecht, clock):
        ends = clock.now() + timedelta(hours=2)
        given = [
            {"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": int(ends.timestamp())},
            {"restriction_type": "RESTRICTED_ADD_PHONE_NUMBER_ACTION"},
        ]
        event = told(utrecht, "account_update", event="ACCOUNT_RESTRICTION", restriction_info=given)
        meta.receive(utrecht, event)
        assert tell_health.end_restrictions(at=ends - timedelta(seconds=1)) == 0
        assert open_kinds() == {"RESTRICTED"}
        assert [tell_health.end_restrictions(at=ends) for _ in range(2)] == [1, 0]
        assert [each["type"] for each in health().restrictions] == ["RESTRICTED_ADD_PHONE_NUMBER_ACTION"]
        assert open_kinds() == {"RESTRICTED"}  # the other one has no end
        meta.receive(utrecht, event)  # told once more, it does not begin anew
        assert len(health().restrictions) == 1

    def test_with_the_last_restriction_what_is_wrong_is_over(self, utrecht, clock):
        ends = clock.now() + timedelta(hours=2)
        given = [{"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": int(ends.timestamp())}]
        meta.receive(utrecht, told(utrecht, "account_update", event="ACCOUNT_RESTRICTION", restriction_info=given))
        assert tell_health.end_restrictions(at=ends) == 1
        assert (health().restrictions, open_kinds()) == ([], set())

    def test_restrictions_with_any_form_of_end_are_read(self, utrecht):
        given = [
            {"restriction_type": "A", "expiration": AT},
            {"restriction_type": "B", "expiration": "2026-03-09T09:00:00+0000"},
            {"restriction_type": "C", "expiration": "soon"},
            {"restriction_type": "D"},
            "garbage",
            {"restriction_type": 5},
        ]
        meta.receive(utrecht, told(utrecht, "account_update", event="ACCOUNT_RESTRICTION", restriction_info=given))
        ends = {each["type"]: each["until"] for each in health().restrictions}
        assert ends == {"A": "2026-03-02T09:00:00+00:00", "B": "2026-03-09T09:00:00+00:00", "C": None, "D": None}
        meta.receive(utrecht, told(utrecht, "account_update", AT + 1, event="ACCOUNT_RESTRICTION"))
        assert (health().restrictions, open_kinds()) == ([], set())

    def test_its_limit_is_each_numbers_as_a_word_or_as_a_figure(self, utrecht, second):
        for at, given, word, citizens in (
            (0, "TIER_100K", "TIER_100K", 100_000),
            (1, 2000, "TIER_2K", 2000),
            (2, 250, "TIER_250", 250),
            (3, -1, "TIER_UNLIMITED", None),
        ):
            value = {"max_daily_conversations_per_business": given, "max_phone_numbers_per_business": 20}
            meta.receive(utrecht, told(utrecht, "business_capability_update", AT + at, **value))
            assert set(NumberHealth.objects.values_list("messaging_limit", "most_numbers")) == {(word, 20)}
            assert health().most_citizens() == citizens
        assert NumberHealth.objects.count() == 2

    def test_a_review_is_taken_over(self, utrecht):
        meta.receive(utrecht, told(utrecht, "account_review_update", decision="REJECTED"))
        assert (health().account_review, open_kinds()) == ("REJECTED", {"RESTRICTED"})
        meta.receive(utrecht, told(utrecht, "account_review_update", AT + 1, decision="APPROVED"))
        assert open_kinds() == set()


class TestAnyOrder:
    def test_every_order_of_bans_ends_the_same_also_told_in_one_second(self, utrecht):
        ends = set()
        states = [("DISABLE", AT), ("REINSTATE", AT + 9), ("SCHEDULE_FOR_DISABLE", AT + 9)]
        for order in permutations(states):
            NumberHealth.objects.all().delete()
            Trouble.objects.all().delete()
            InboxEvent.objects.all().delete()
            for state, at in order:
                value = {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": state}}
                meta.receive(utrecht, told(utrecht, "account_update", at, **value))
            ends.add((health().account_state, frozenset(open_kinds()), health().updated_at))
        assert len(ends) == 1

    def test_applying_again_changes_nothing(self, utrecht):
        value = {"event": "ACCOUNT_VIOLATION", "violation_info": {"violation_type": "SCAM"}}
        meta.receive(utrecht, told(utrecht, "account_update", **value))
        tables = ("tenants_numberhealth", "tenants_trouble")
        before = meta.contents("public", tables)
        meta.replay("utrecht")
        assert meta.contents("public", tables) == before


class TestWhatIsNotKnown:
    @pytest.mark.parametrize(
        ("field", "value", "label", "outcome"),
        [
            ("field_of_the_future", {"event": "X"}, "other", "not_understood"),
            ("account_update", {"event": "TELEPORTED"}, "account_update", "not_understood"),
            ("account_update", {"event": ["list"]}, "account_update", "not_understood"),
            ("account_alerts", {"alert_info": 7}, "account_alerts", "not_understood"),
            ("flows", {"event": "FLOW_STATUS_CHANGE"}, "flows", "kept"),
            ("payment_configuration_update", {}, "payment_configuration_update", "kept"),
        ],
    )
    def test_it_is_kept_as_it_came_and_counted_without_its_content(self, utrecht, field, value, label, outcome):
        counter = ACCOUNT_UPDATES.labels(label, outcome)._value
        before = counter.get()
        meta.receive(utrecht, told(utrecht, field, **value))
        assert counter.get() == before + 1
        event = InboxEvent.objects.get()
        assert (event.state, event.payload["element"]) == ("APPLIED", value)

    @pytest.mark.parametrize("at", [None, "soon", 10**30, True])
    def test_without_a_moment_that_of_receipt_counts(self, utrecht, at):
        meta.receive(utrecht, told(utrecht, "account_review_update", at, decision="APPROVED"))
        assert health().updated_at == datetime(2026, 3, 2, 9, tzinfo=UTC)
