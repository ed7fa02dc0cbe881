"""What the reconciler looks for goes by its lease: under none first, then by when the lease ended."""

import sqlalchemy as sa

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_RUNNING = sa.text("status = 'processing'")
_UNPUBLISHED = sa.text("unpublished = 1")


def upgrade() -> None:
    op.drop_index("processes_unfinished", "processes")
    op.drop_index("processes_unpublished", "processes")
    op.create_index("processes_unfinished", "processes", ["lease_until", "updated_at"], sqlite_where=_RUNNING)
    op.create_index("processes_overdue", "processes", ["lease_until", "created_at"], sqlite_where=_RUNNING)
    op.create_index(
        "processes_unpublished", "processes", ["lease_until", "updated_at"], sqlite_where=_UNPUBLISHED
    )


def downgrade() -> None:
    for name in ("processes_unfinished", "processes_overdue", "processes_unpublished"):
        op.drop_index(name, "processes")
    op.create_index("processes_unfinished", "processes", ["updated_at"], sqlite_where=_RUNNING)
    op.create_index("processes_unpublished", "processes", ["updated_at"], sqlite_where=_UNPUBLISHED)
