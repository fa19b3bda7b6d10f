"""The lanes' work list and leases: which number has something to send, and who sends it."""

from django.db import models


class OutboxWake(models.Model):
    """A note, written with each queued message, that a number's lane has work.

    Append-only for who queues and deleted by the lane's owner, so that neither ever waits for the other. A lost note
    is harmless: the lanes' sweep looks at the outboxes themselves.
    """

    phone_number_id = models.CharField(max_length=40)

    def __str__(self) -> str:
        return self.phone_number_id


class Lane(models.Model):
    """The ordered, paced stream of outgoing messages of one number, and who owns it.

    A lane has one owner at a time, by lease. Each change of owner raises the fencing token, and each claim checks it,
    so that an owner who was thought dead can claim nothing more. Leases run on the database's own clock.
    """

    phone_number_id = models.CharField(max_length=40, primary_key=True)
    municipality_id = models.UUIDField()
    owner = models.CharField(max_length=100, default="")
    fencing_token = models.BigIntegerField(default=0)
    leased_until = models.DateTimeField()
    # Set when Meta said that this number cannot send now (token, lock, payment): sending rests until then.
    paused_until = models.DateTimeField(null=True)
    paused_reason = models.CharField(max_length=200, default="")

    class Meta:
        # A sender looks for lanes whose lease has ended.
        indexes = [models.Index(name="lane_by_lease", fields=["leased_until"])]

    def __str__(self) -> str:
        return self.phone_number_id
