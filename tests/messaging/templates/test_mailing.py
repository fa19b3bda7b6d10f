"""Admins are mailed once about what Meta decided of their templates, and nobody else is."""

from smtplib import SMTPServerDisconnected

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django_tenants.utils import schema_context

from accounts.models import User
from messaging.models import Template, TemplateAlert
from messaging.templates import alerting, mailing


@pytest.fixture(autouse=True)
def people(utrecht, delft) -> None:
    for schema in ("utrecht", "delft"):
        with schema_context(schema):
            for role in ("ADMIN", "AGENT"):
                user = User.objects.create_user(email=f"{role.lower()}@{schema}.example", name=role)
                user.role_grants.create(role=role)


def decided(clock, *, schema: str = "utrecht", name: str = "vervolg_op_uw_vraag", **values: str) -> None:
    """Have Meta decide about a template."""
    with schema_context(schema):
        template = Template.objects.get(name=name)
        for field, value in values.items():
            setattr(template, field, value)
        template.save()
        alerting.bring_up_to_date(template=template, at=clock.now())


def mail_all(clock) -> list[int]:
    return [mailing.mail_all(at=clock.now()) for _ in range(2)]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"status": "PAUSED"}, "is door Meta gepauzeerd"),
        ({"status": "REJECTED"}, "is door Meta afgewezen"),
        ({"status": "APPROVED", "category": "MARKETING"}, "is door Meta MARKETING gemaakt"),
    ],
)
def test_its_own_admins_are_told_once(clock, values, words):
    decided(clock, **values)
    assert mail_all(clock) == [1, 0]
    (told,) = mail.outbox
    assert (told.to, told.bcc) == ([], ["admin@utrecht.example"])
    assert told.subject == "Template vervolg_op_uw_vraag van Utrecht"
    assert f"vervolg_op_uw_vraag (nl) {words}" in told.body


def test_what_comes_back_is_told_again_and_what_is_over_is_not(clock):
    decided(clock, status="PAUSED")
    decided(clock, status="APPROVED")
    assert mail_all(clock) == [0, 0]
    for status in ("PAUSED", "APPROVED", "PAUSED"):
        decided(clock, status=status)
        mailing.mail_all(at=clock.now())
    assert len(mail.outbox) == 2


def test_several_are_told_in_one_mail_and_each_municipality_hears_its_own(clock):
    with schema_context("utrecht"):
        names = list(Template.objects.order_by("name").values_list("name", flat=True)[:3])
    for name in names:
        decided(clock, name=name, status="PAUSED")
    decided(clock, schema="delft", status="DISABLED")
    assert mail_all(clock) == [4, 0]
    by_place = {told.bcc[0]: told for told in mail.outbox}
    assert set(by_place) == {"admin@utrecht.example", "admin@delft.example"}
    assert by_place["admin@utrecht.example"].subject == "3 templates van Utrecht"
    assert all(name in by_place["admin@utrecht.example"].body for name in names)


def test_a_mail_that_does_not_leave_is_sent_later(clock, monkeypatch):
    def dies(self):
        raise SMTPServerDisconnected

    decided(clock, status="PAUSED")
    with monkeypatch.context() as patched:
        patched.setattr(EmailMessage, "send", dies)
        assert mailing.mail_all(at=clock.now()) == 0
    assert mailing.mail_all(at=clock.now()) == 0  # somebody may have it in hand
    with schema_context("utrecht"):
        TemplateAlert.objects.update(mail_claimed_at="2020-01-01T00:00:00Z")
    assert mailing.mail_all(at=clock.now()) == 1
