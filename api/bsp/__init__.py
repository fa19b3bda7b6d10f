"""The REST API on the console's host, for the systems of the BSP."""
