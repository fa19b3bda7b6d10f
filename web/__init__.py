"""The people's door: console, workspace and finance pages."""
