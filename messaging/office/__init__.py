"""When a municipality answers, and what it says of privacy: opening hours, holidays, days of their own, the notice.

Read by whatever tells citizens something by itself (`hours.is_open`); set by the municipality's admin (web/office.py).
"""
