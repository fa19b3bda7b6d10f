#!/usr/bin/env python
"""Django's command line for the platform."""

import os
import sys


def main() -> None:
    """Run one management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    from config.env import MisconfiguredEnvironment

    try:
        execute_from_command_line(sys.argv)
    except MisconfiguredEnvironment as error:
        sys.exit(f"manage.py: {error}")


if __name__ == "__main__":
    main()
