"""A municipality's templates: drafted, checked, handed in; what Meta made of them; and whether one may be sent.

`taking` is the heart: every word of Meta's, from a webhook, a sync or a refused message, goes through it, and the
latest word counts, in whatever order they come.
"""
