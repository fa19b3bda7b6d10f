"""Who wrote: from the ids that Meta gives to one contact, also when Meta links two that we knew apart.

What Meta says is kept as evidence (`evidence`), who is who follows from it (`people`, pure), and the contacts of a
batch are brought in line with that (`book`, `merging`). So the order in which updates come decides nothing.
"""

from messaging.contacts.book import ContactBook
from messaging.contacts.evidence import Change, Identity
from messaging.contacts.merging import Merge

__all__ = ["Change", "ContactBook", "Identity", "Merge"]
