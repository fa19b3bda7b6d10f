"""Admins who are mailed what the BSP decides."""

import pytest
from django.core import mail
from django_tenants.utils import schema_context

from accounts import letters, posting
from accounts.models import Mail, RoleGrant, User


@pytest.fixture
def mailed(utrecht, settings):
    """Return what sends the mails that wait: to two admins, one of whom reads English; an agent is there too."""
    settings.SENDS_MAIL = True
    with schema_context("utrecht"):
        for name, role, language in (("bea", "ADMIN", ""), ("john", "ADMIN", "en"), ("kim", "AGENT", "")):
            user = User.objects.create(email=f"{name}@utrecht.example", name=name, language=language)
            RoleGrant.objects.create(user=user, role=role)

    def sent():
        mail.outbox.clear()
        with schema_context("utrecht"):
            for each in Mail.objects.filter(state="QUEUED").order_by("user__email"):
                assert posting.send(mail_id=each.id, write=letters.write) == "SENT"
        return list(mail.outbox)

    return sent
