"""The admin's pages of opening hours and privacy notice."""

from datetime import date

import pytest
from django_tenants.utils import schema_context

from messaging.models import Office, OpenPeriod, PrivacyNotice, SpecialDay

HOURS, DAYS, NOTICE = "/opening-hours/", "/opening-hours/days/", "/privacy-notice/"


@pytest.fixture
def admin(people):
    return people("utrecht", "ADMIN")


def week(**more: str) -> dict[str, object]:
    empty = {f"{end}-{day}-{part}": "" for end in ("opens", "closes") for day in range(7) for part in range(2)}
    return {**empty, "opens-3-0": "09:00", "closes-3-0": "12:00", "opens-3-1": "18:00", "closes-3-1": "00:00", **more}


def test_a_week_and_its_holidays_are_saved_and_shown_again(admin):
    page = admin.get(HOURS).content.decode()
    assert 'id="opens-0-0" value="09:00"' in page
    assert "Tweede paasdag" in page
    saved = admin.post(HOURS, {**week(), "holiday": ["KINGS_DAY", "NONSENSE"]}, follow=True)
    page = saved.content.decode()
    assert "Het is opgeslagen." in page
    assert 'id="closes-3-1" value="00:00"' in page
    assert 'id="opens-0-0" value=""' in page
    with schema_context("utrecht"):
        kept = list(OpenPeriod.objects.order_by("opens_minute").values_list("weekday", "opens_minute", "closes_minute"))
        assert kept == [(3, 540, 720), (3, 1080, 1440)]
        assert Office.objects.get().holidays == ["KINGS_DAY"]


def test_a_form_that_is_not_ours_leaves_the_week_as_it_was(admin):
    assert admin.post(HOURS, {"opens-3-0": "09:00", "closes-3-0": "12:00"}).status_code == 400
    with schema_context("utrecht"):
        assert OpenPeriod.objects.count() == 5


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"closes-3-0": ""}, "Vul beide in"),
        ({"closes-3-0": "08:00"}, "sluit voordat"),
        ({"opens-3-1": "11:00"}, "overlappen"),
        ({"opens-3-0": "twee"}, "Vul beide in"),
    ],
)
def test_a_mistake_is_said_at_its_day_and_what_was_typed_stays(admin, changed, said):
    with schema_context("utrecht"):
        before = list(OpenPeriod.objects.values())
    answer = admin.post(HOURS, {**week(), **changed})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert said in page.split('id="wrong-3"')[1].split("</p>")[0]
    assert 'value="00:00"' in page
    with schema_context("utrecht"):
        assert list(OpenPeriod.objects.values()) == before


def test_a_day_of_their_own_is_added_refused_twice_and_removed(admin):
    given = {"date": "2026-12-24", "name": "Kerstavond", "opens": "09:00", "closes": "16:00"}
    assert "09:00–16:00" in admin.post(DAYS, given, follow=True).content.decode()
    assert admin.post(DAYS, given).status_code == 422
    for wrong in ({"date": "morgen"}, {"closes": ""}, {"name": " "}, {"closes": "08:00"}):
        answer = admin.post(DAYS, {**given, "date": "2026-12-31", **wrong})
        assert answer.status_code == 422, wrong
        assert 'role="alert" id="day-refused"' in answer.content.decode()
    with schema_context("utrecht"):
        day = SpecialDay.objects.get()
        assert (day.date, day.opens_minute) == (date(2026, 12, 24), 540)
    assert "Kerstavond" not in admin.post(f"{DAYS}{day.id}/remove/", follow=True).content.decode()
    assert admin.post(f"{DAYS}{day.id}/remove/").status_code == 404


def test_a_notice_is_shown_as_it_reads_and_a_wrong_one_is_not_saved(admin):
    given = {"url": "https://www.utrecht.example/privacy", "form_of_address": "INFORMAL", "own_text": ""}
    page = admin.post(NOTICE, given, follow=True).content.decode()
    assert "Je chat met de gemeente Utrecht." in page
    answer = admin.post(
        NOTICE, {**given, "url": "http://www.utrecht.example/", "own_text": "Mijn <b>eigen</b> woorden"}
    )
    assert answer.status_code == 422
    assert "Mijn &lt;b&gt;eigen&lt;/b&gt; woorden" in answer.content.decode()
    with schema_context("utrecht"):
        assert PrivacyNotice.objects.get().url == given["url"]
