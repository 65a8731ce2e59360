#!/usr/bin/env python
"""Command line of Vivalia Continuity."""

import os
import sys


def main() -> None:
    """Run one management command; what can be mended ends in one sentence, not in a stack trace."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vivalia_continuity.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import DatabaseError

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"Configuration : {error}")
    except DatabaseError:
        from vivalia_continuity.health import database_trouble

        trouble = database_trouble()
        if not trouble:
            raise
        sys.exit(f"Base de données : {trouble}")


if __name__ == "__main__":
    main()
