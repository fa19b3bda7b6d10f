"""What a person decided about a message of which nobody knows whether it was sent."""

from django.db import models
from django.db.models import Q

from messaging.models.messages import Message


class UncertainChoice(models.Model):
    """One decision about an UNCERTAIN message; made once, and never changed.

    The message stays as it is: a decision says nothing about what became of it. Only a status of Meta's does, also
    when it comes after the decision.
    """

    class Choice(models.TextChoices):
        SEND_AGAIN = "SEND_AGAIN", "Opnieuw verzonden"
        LEAVE = "LEAVE", "Zo gelaten"

    # The key of both: so two people who decide at once, and one who clicks twice, make one decision.
    message = models.OneToOneField(Message, on_delete=models.CASCADE, primary_key=True, related_name="choice")
    choice = models.CharField(max_length=10, choices=Choice.choices)
    repeated_by = models.OneToOneField(Message, on_delete=models.CASCADE, null=True, related_name="repeats")
    chosen_at = models.DateTimeField()
    chosen_by_id = models.CharField(max_length=100)
    chosen_by_name = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="uncertain_choice_repeats_or_leaves",
                condition=Q(choice="SEND_AGAIN", repeated_by__isnull=False) | Q(choice="LEAVE", repeated_by=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.message_id} {self.choice}"
