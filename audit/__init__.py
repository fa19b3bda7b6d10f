"""Who did and saw what: append-only, hash-chained, in `public` for the BSP and in each schema for its tenant."""
