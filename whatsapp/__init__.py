"""The pipe: a pure adapter to Meta's WhatsApp Cloud API.

It knows Meta's JSON, signatures, limits and error codes, and nothing of municipalities, models or settings. Values come
in and go out typed; no JSON, exception or wording of Meta's reaches a higher room unless a field is named for it.
"""
