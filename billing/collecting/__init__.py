"""Collection by Stripe: an issued invoice is handed over in steps, and what Stripe tells is asked for again."""
