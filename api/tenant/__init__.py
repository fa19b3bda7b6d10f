"""The REST API on a municipality's host, for the systems of that municipality."""
