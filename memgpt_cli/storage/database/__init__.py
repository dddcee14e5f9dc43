"""SQLite: connections, the schema and its migrations, the checks of a record."""
