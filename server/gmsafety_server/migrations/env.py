"""How alembic reaches the database: through the one it is given."""

from alembic import context

from gmsafety_server.tables import metadata

database = context.config.attributes["database"]

with database.write() as connection:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        compare_type=True,
        transactional_ddl=False,
    )
    with context.begin_transaction():
        context.run_migrations()
