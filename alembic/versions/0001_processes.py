"""Processes: one row a process, the document beside the columns it is looked up by."""

import sqlalchemy as sa

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "processes",
        sa.Column("process_id", sa.String(64), primary_key=True),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("idempotency_key", sa.String(255)),
        sa.Column("tool_name", sa.String(64), nullable=False),
        sa.Column("category", sa.String(32), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("unpublished", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.Integer, nullable=False),
        sa.Column("updated_at", sa.Integer, nullable=False),
        sa.Column("lease_owner", sa.String(64)),
        sa.Column("lease_until", sa.Integer, nullable=False, server_default="0"),
        sa.Column("document", sa.JSON, nullable=False),
    )
    op.create_index("processes_by_user", "processes", ["user_id", "created_at", "process_id"])
    op.create_index("processes_by_idempotency_key", "processes", ["user_id", "idempotency_key"], unique=True)
    op.create_index(
        "processes_unfinished", "processes", ["updated_at"], sqlite_where=sa.text("status = 'processing'")
    )
    op.create_index(
        "processes_unpublished", "processes", ["updated_at"], sqlite_where=sa.text("unpublished = 1")
    )


def downgrade() -> None:
    op.drop_table("processes")
