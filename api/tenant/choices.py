"""What somebody decides about a message of which nobody knows whether it was sent, as JSON."""

from rest_framework import serializers

from api.fields import CamelCase, Choice, Id, Moment
from messaging.models import UncertainChoice


class ChoiceShape(CamelCase):
    """What somebody decided about a message of which nobody knew whether it was sent. Never changed."""

    choice = Choice(choices=UncertainChoice.Choice.values)
    chosen_at = Moment()
    chosen_by = serializers.CharField(source="chosen_by_name")
    repeated_by_message_id = Id(
        source="repeated_by_id", allow_null=True, help_text="The message that says it once more; null when it was left."
    )


class NewChoice(CamelCase):
    """What is to become of a message of which nobody knows whether it was sent."""

    choice = Choice(
        choices=UncertainChoice.Choice.values,
        help_text="SEND_AGAIN: queue it once more; the citizen may get it twice. LEAVE: leave it as it is.",
    )
