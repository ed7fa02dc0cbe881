"""Runs the migrations; the database is `sqlalchemy.url`, or the one of the settings."""

from typing import Any

from sqlalchemy import Connection, NullPool, create_engine, event

from alembic import context
from hexwave_app.stores.sql import metadata


def database_url() -> str:
    url = context.config.get_main_option("sqlalchemy.url")
    if url:
        return url
    from hexwave_app.settings import Settings

    path = Settings().database_path
    path.parent.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{path}"


# Python's driver begins no transaction before DDL. With these two it does: a migration that is cut short
# leaves nothing behind, and of two servers starting at once the second waits for the first.
def _without_own_transactions(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA busy_timeout=30000")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def run_migrations() -> None:
    engine = create_engine(database_url(), poolclass=NullPool)
    event.listen(engine, "connect", _without_own_transactions)
    event.listen(engine, "begin", _begin)
    with engine.connect() as connection:
        # SQLite alters a table by copying it, which is what batch mode does.
        context.configure(
            connection=connection, target_metadata=metadata, render_as_batch=True, transactional_ddl=True
        )
        with context.begin_transaction():
            context.run_migrations()


run_migrations()
