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
        sa.Column("created_at", sa.Integer, nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
    )
    op.create_index("processes_by_user", "processes", ["user_id", "created_at", "process_id"])
    op.create_index("processes_by_idempotency_key", "processes", ["user_id", "idempotency_key"], unique=True)
    op.create_index(
        "processes_unfinished", "processes", ["created_at"], sqlite_where=sa.text("status = 'processing'")
    )


def downgrade() -> None:
    op.drop_table("processes")
