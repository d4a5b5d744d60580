"""The hashes of documents that were purged, so that none is read again."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the table; nothing was purged so far."""
    op.create_table(
        "purged",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("purged_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_purged")),
    )
