"""The tests' own database goes when they are over, whoever still holds a connection to it."""

from django.db import connection

from tests.conftest import end_connections


def test_neither_a_lingering_connection_nor_a_dead_one_of_our_own_keeps_a_database_from_going():
    ours, lingering = connection.copy(), connection.copy()
    with connection._nodb_cursor() as cursor:
        name = f"{connection.settings_dict['NAME']}_going"
        cursor.execute(f'CREATE DATABASE "{name}"')
        for wrapper in (ours, lingering):
            wrapper.settings_dict["NAME"] = name
            wrapper.ensure_connection()
        cursor.execute("SELECT pg_terminate_backend(%s)", [ours.connection.info.backend_pid])

        end_connections(ours)

        cursor.execute(f'DROP DATABASE "{name}"')
        cursor.execute("SELECT count(*) FROM pg_database WHERE datname = %s", [name])
        assert cursor.fetchone() == (0,)
    lingering.close()
