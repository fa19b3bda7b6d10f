"""What a citizen is to see of us beside messages: that theirs were read, and that somebody is typing."""

from django.db import models

from messaging.models.people import Thread


class ReadReceipt(models.Model):
    """One thread whose contact is to see that we read up to a message, and perhaps that an answer is being typed.

    It waits for the number's lane, which takes it away before it calls Meta: at most once, and none is missed.
    """

    thread = models.OneToOneField(Thread, on_delete=models.CASCADE, primary_key=True, related_name="read_receipt")
    phone_number_id = models.CharField(max_length=40)
    wamid = models.CharField(max_length=200)
    typing = models.BooleanField(default=False)
    requested_at = models.DateTimeField()  # real time: typing that is told late is not told

    class Meta:
        # A lane takes those of its number.
        indexes = [models.Index(name="read_receipt_of_lane", fields=["phone_number_id", "requested_at"])]

    def __str__(self) -> str:
        return str(self.thread_id)
