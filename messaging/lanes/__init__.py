"""Lanes: from the outbox to Meta. Each number has one, owned by one `sender` process at a time.

sender → lane → store: the sender owns leases and wakes lanes, a lane paces and calls Meta, the store is the SQL.
They live in a process of their own (`manage.py run_lanes`), asynchronous, many lanes each.
"""
