"""The machines' door: Meta's webhooks, and later REST and webhooks out."""
