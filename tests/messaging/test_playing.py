"""Answers that no person gave: for the demo and for tests, and never in production."""

import pytest
from django.core.management import CommandError, call_command
from django_tenants.utils import schema_context

from messaging.models import Message


def test_they_are_refused_in_production_and_given_elsewhere(utrecht, thread, settings):
    def sent():
        with schema_context("utrecht"):
            return Message.objects.filter(direction=Message.Direction.OUTBOUND).count()

    settings.DEVELOPMENT = False
    with pytest.raises(CommandError, match="refused in production"):
        call_command("play_agents", once=True, everyone=True)
    assert sent() == 0
    settings.DEVELOPMENT = True
    call_command("play_agents", once=True, everyone=True)
    assert sent() == 1
