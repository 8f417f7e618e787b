"""Sessions in PostgreSQL: PL/pgSQL functions beside the data, one call for each thing a session does."""
