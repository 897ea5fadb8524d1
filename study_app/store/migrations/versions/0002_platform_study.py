"""Under which study of the platform a rater came."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    with op.batch_alter_table("rater", schema=None) as batch_op:
        batch_op.add_column(sa.Column("platform_study", sa.String(length=200), nullable=True))


def downgrade() -> None:
    """Change them back."""
    with op.batch_alter_table("rater", schema=None) as batch_op:
        batch_op.drop_column("platform_study")
