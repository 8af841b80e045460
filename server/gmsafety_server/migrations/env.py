"""How alembic reaches the database: through the transaction it is given, which somebody else commits."""

from alembic import context

from gmsafety_server.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=True,
    transactional_ddl=False,
)
with context.begin_transaction():
    context.run_migrations()
