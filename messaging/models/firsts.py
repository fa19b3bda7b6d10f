"""To whom we wrote first: what Meta limits, by unique citizens in 24 hours."""

from django.db import models

from messaging.models.messages import Message
from messaging.models.people import Contact


class FirstWrite(models.Model):
    """One message that wrote to a citizen first: a template while their service window was closed.

    Written by the lane in the statement that claims the message, gone when it surely did not arrive, and forgotten
    after 24 hours (messaging/lanes/firsts.py). It lies in the municipality's own schema, as the portfolio is its own.
    """

    message = models.OneToOneField(Message, on_delete=models.CASCADE, primary_key=True, related_name="+")
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, db_index=False, related_name="+")
    written_at = models.DateTimeField()  # domain time, as windows are

    class Meta:
        # Was this citizen written to already; and whom all in the last 24 hours.
        indexes = [
            models.Index(name="first_write_of_contact", fields=["contact", "written_at"]),
            models.Index(name="first_write_by_moment", fields=["written_at"]),
        ]

    def __str__(self) -> str:
        return str(self.message_id)
