"""Account-level updates: what Meta says about templates, numbers and accounts, by the field it comes under.

Each handler may run twice and in any order: what counts is the moment that Meta gives, not when an update was applied.
A field, event or form that is not known changes nothing; it stays in the inbox as it came, and is counted. Fields that
tell of citizens (CITIZEN_FIELDS) are applied beside messages: messaging/incoming.py.
"""

from messaging.account_updates.dispatching import CITIZEN_FIELDS, apply, count, read
from messaging.account_updates.update import Update

__all__ = ["CITIZEN_FIELDS", "Update", "apply", "count", "read"]
