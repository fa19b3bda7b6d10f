"""What is owed: facts, conversations, rates and invoices, in the schema `public`. Holds nothing a citizen wrote."""
