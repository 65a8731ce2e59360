#!/usr/bin/env python
"""Command line of Vivalia Continuity."""

import os
import sys


def main() -> None:
    """Run one management command; a bad setting ends in one sentence, not in a stack trace."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vivalia_continuity.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"Configuration : {error}")


if __name__ == "__main__":
    main()
