"""The part of messaging that lies in `public`: the inbox's parent table, the lanes' work list and the lanes' leases.

Nothing that a citizen wrote rests here: events lie in partitions, each in its municipality's own schema.
"""
