"""What the tables of SQLite belong to; alembic/ makes them."""

from sqlalchemy import MetaData

metadata = MetaData()
