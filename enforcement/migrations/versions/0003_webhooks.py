"""Webhooks; cases whose violations were withdrawn"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "webhooks",
        sa.Column("receiver", sa.String(length=64), nullable=False),
        sa.Column("next_seq", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("retry_ms", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("holder", sa.String(length=36), nullable=True),
        sa.Column("held_until_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("receiver", name=op.f("pk_webhooks")),
    )
    op.create_table(
        "dead_letters",
        sa.Column("receiver", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("again", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("receiver", "seq", name=op.f("pk_dead_letters")),
    )
    # Cases that there are have been withdrawn by nobody.
    op.add_column(
        "cases", sa.Column("withdrawn", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    with op.batch_alter_table("cases") as batch_op:
        batch_op.alter_column("withdrawn", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("cases") as batch_op:
        batch_op.drop_column("withdrawn")
    op.drop_table("dead_letters")
    op.drop_table("webhooks")
