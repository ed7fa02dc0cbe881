"""What lists are narrowed by, in columns and in their index; what was deleted, for who purges it."""

import sqlalchemy as sa

from alembic import op
from hexwave_app.processes.search import searchable

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_DELETED = sa.text("deleted_at IS NOT NULL")
_ADDED = ("provider", "model", "favourite", "deleted_at", "search")


def upgrade() -> None:
    op.add_column("processes", sa.Column("provider", sa.String(64), nullable=False, server_default=""))
    op.add_column("processes", sa.Column("model", sa.String(255)))
    op.add_column("processes", sa.Column("favourite", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("processes", sa.Column("deleted_at", sa.Integer))
    op.add_column("processes", sa.Column("search", sa.Text, nullable=False, server_default=""))
    _fill()
    op.drop_index("processes_by_user", "processes")
    op.create_index(
        "processes_by_user",
        "processes",
        [
            *("user_id", "created_at", "process_id", "deleted_at", "status", "category"),
            *("tool_name", "provider", "model", "favourite", "search"),
        ],
    )
    op.create_index("processes_deleted", "processes", ["deleted_at"], sqlite_where=_DELETED)


def _fill() -> None:
    connection = op.get_bind()
    driver = connection.connection.driver_connection
    assert driver is not None
    # SQLite's own lower() knows ASCII alone.
    driver.create_function("searchable", 1, searchable, deterministic=True)
    connection.exec_driver_sql(
        "UPDATE processes SET provider = coalesce(json_extract(document, '$.provider.name'), ''),"
        " model = json_extract(document, '$.provider.model'),"
        " search = searchable(coalesce(json_extract(document, '$.data.req.prompt'), ''))"
    )


def downgrade() -> None:
    op.drop_index("processes_deleted", "processes")
    op.drop_index("processes_by_user", "processes")
    for name in reversed(_ADDED):
        op.drop_column("processes", name)
    op.create_index("processes_by_user", "processes", ["user_id", "created_at", "process_id"])
