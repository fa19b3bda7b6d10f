"""What was said: a municipality's inbox, threads, outbox and templates, each in its own schema."""
