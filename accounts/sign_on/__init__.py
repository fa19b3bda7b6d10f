"""Signing in by a municipality's own provider (OpenID Connect): its settings, what it says, and who is let in by it."""
