"""Stripe imitated, as far as it collects invoices: customers, invoices, credit notes, webhooks, faults."""
