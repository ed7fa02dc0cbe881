"""Runs the migrations; the database is `sqlalchemy.url`, or the one of the settings."""

from sqlalchemy import create_engine

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


def run_migrations() -> None:
    engine = create_engine(database_url())
    with engine.connect() as connection:
        # SQLite alters a table by copying it, which is what batch mode does.
        context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run_migrations()
