"""Sessions in PostgreSQL: PL/pgSQL functions in the database, one call per operation."""
