"""When a process of ours looks for cycles among its objects.

Python looks after each 700 objects that were made and not yet freed: with some hundreds of calls or rows in hand all
the time that was a tenth of the sender's work, and hardly anything is found.
"""

import gc

OBJECTS = 50_000  # made and not yet freed, until the youngest are looked at


def look_seldom() -> None:
    """Look at what is loaded by now no more, and at the rest less often. For processes that stay."""
    gc.freeze()
    gc.set_threshold(OBJECTS, 20, 20)
