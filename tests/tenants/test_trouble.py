"""A number in trouble is told once, and closed by the one that sees it is over."""

from datetime import timedelta

import pytest

from tenants import clock
from tenants.models import Number, Trouble
from tenants.trouble import close_troubles, open_trouble, open_troubles

pytestmark = pytest.mark.django_db


@pytest.fixture
def number(utrecht):
    return Number.objects.get(municipality=utrecht)


def test_it_is_news_once(number):
    at = clock.now()
    told = [
        open_trouble(phone_number_id=number.phone_number_id, kind=Trouble.Kind.TOKEN, at=at, detail=detail)
        for detail in ("190", "again")
    ]
    assert told == [True, False]
    assert [trouble.detail for trouble in open_troubles()] == ["190"]


def test_it_may_come_back_after_it_was_over(number):
    at = clock.now()
    kinds = [Trouble.Kind.TOKEN]
    open_trouble(phone_number_id=number.phone_number_id, kind=Trouble.Kind.TOKEN, at=at)
    assert close_troubles(phone_number_id=number.phone_number_id, kinds=kinds, at=at + timedelta(minutes=5)) == 1
    assert close_troubles(phone_number_id=number.phone_number_id, kinds=kinds, at=at + timedelta(minutes=6)) == 0
    assert open_trouble(phone_number_id=number.phone_number_id, kind=Trouble.Kind.TOKEN, at=at + timedelta(hours=1))
    assert Trouble.objects.filter(number=number).count() == 2


def test_it_is_shown_to_its_own_municipality_alone(number):
    open_trouble(phone_number_id=number.phone_number_id, kind=Trouble.Kind.PAYMENT, at=clock.now())
    other = Number.objects.exclude(municipality_id=number.municipality_id).first()
    assert open_troubles(municipality_id=number.municipality_id).count() == 1
    assert not open_troubles(municipality_id=other.municipality_id).exists()


def test_a_number_of_nobody_is_in_no_trouble(utrecht):
    assert not open_trouble(phone_number_id="99999999999", kind=Trouble.Kind.TOKEN, at=clock.now())
