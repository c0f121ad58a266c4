#!/usr/bin/env python3
"""Every management command; `./dev manage …` runs it with the right Python."""

import os
import sys

UNDEFINED_TABLE = "42P01"

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "outsourcing.settings")
    from django.core.management import execute_from_command_line
    from django.db import ProgrammingError, connection
    from django.db.migrations.recorder import MigrationRecorder

    try:
        execute_from_command_line(sys.argv)
    except ProgrammingError as problem:
        if getattr(problem.__cause__, "pgcode", "") != UNDEFINED_TABLE or MigrationRecorder(connection).has_table():
            raise
        sys.exit("The database has no tables yet: ./dev manage migrate makes them, and ./dev run by itself.")
