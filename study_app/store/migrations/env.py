"""Alembic's way in: it is given a connection that is open, and changes the tables through it."""

from alembic import context

from study_app.store.tables import TableBase

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=TableBase.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
