"""Which declaration held when a trial was rated."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    with op.batch_alter_table("trial", schema=None) as batch_op:
        batch_op.add_column(sa.Column("declared", sa.String(length=200), nullable=True))


def downgrade() -> None:
    """Change them back."""
    with op.batch_alter_table("trial", schema=None) as batch_op:
        batch_op.drop_column("declared")
