"""First tables."""

import sqlalchemy as sa
from alembic import op

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    op.create_table(
        "rater",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("token", sa.String(length=200), nullable=False),
        sa.Column("platform", sa.String(length=200), nullable=False),
        sa.Column("platform_id", sa.String(length=200), nullable=True),
        sa.Column("session", sa.String(length=200), nullable=True),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("language", sa.String(length=200), nullable=False),
        sa.Column("screen", sa.String(length=200), nullable=False),
        sa.Column("number", NUMBER, nullable=True),
        sa.Column("quiz_failures", NUMBER, nullable=False),
        sa.Column("created", NUMBER, nullable=False),
        sa.Column("seen", NUMBER, nullable=False),
        sa.Column("consent_version", sa.String(length=200), nullable=True),
        sa.Column("consented", NUMBER, nullable=True),
        sa.Column("finished", NUMBER, nullable=True),
        sa.Column("rejected", NUMBER, nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("device", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
        sa.UniqueConstraint("platform", "platform_id"),
        sa.UniqueConstraint("token"),
    )
    op.create_table(
        "setting",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "event",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("rater_id", NUMBER, nullable=False),
        sa.Column("at", NUMBER, nullable=False),
        sa.Column("kind", sa.String(length=200), nullable=False),
        sa.Column("data", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["rater_id"],
            ["rater.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_event_rater_id"), ["rater_id"], unique=False)

    op.create_table(
        "exclusion",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("rater_id", NUMBER, nullable=False),
        sa.Column("rule", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("automatic", sa.Boolean(), nullable=False),
        sa.Column("at", NUMBER, nullable=False),
        sa.ForeignKeyConstraint(
            ["rater_id"],
            ["rater.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("rater_id", "rule"),
    )
    with op.batch_alter_table("exclusion", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_exclusion_rater_id"), ["rater_id"], unique=False)

    op.create_table(
        "trial",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("rater_id", NUMBER, nullable=False),
        sa.Column("place", NUMBER, nullable=False),
        sa.Column("kind", sa.String(length=200), nullable=False),
        sa.Column("item", sa.String(length=200), nullable=False),
        sa.Column("swapped", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=200), nullable=False),
        sa.Column("opened", NUMBER, nullable=True),
        sa.Column("answered", NUMBER, nullable=True),
        sa.ForeignKeyConstraint(
            ["rater_id"],
            ["rater.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("rater_id", "place"),
    )
    with op.batch_alter_table("trial", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_trial_item"), ["item"], unique=False)
        batch_op.create_index(batch_op.f("ix_trial_rater_id"), ["rater_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_trial_state"), ["state"], unique=False)

    op.create_table(
        "answer",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("trial_id", NUMBER, nullable=False),
        sa.Column("question", sa.String(length=200), nullable=False),
        sa.Column("value", NUMBER, nullable=False),
        sa.ForeignKeyConstraint(
            ["trial_id"],
            ["trial.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("trial_id", "question"),
    )
    op.create_table(
        "playback",
        sa.Column("trial_id", NUMBER, nullable=False),
        sa.Column("coverage", sa.Double(), nullable=False),
        sa.Column("ledger", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trial_id"],
            ["trial.id"],
        ),
        sa.PrimaryKeyConstraint("trial_id"),
    )


def downgrade() -> None:
    """Change them back."""
    op.drop_table("playback")
    op.drop_table("answer")
    with op.batch_alter_table("trial", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_trial_state"))
        batch_op.drop_index(batch_op.f("ix_trial_rater_id"))
        batch_op.drop_index(batch_op.f("ix_trial_item"))

    op.drop_table("trial")
    with op.batch_alter_table("exclusion", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_exclusion_rater_id"))

    op.drop_table("exclusion")
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_event_rater_id"))

    op.drop_table("event")
    op.drop_table("setting")
    op.drop_table("rater")
