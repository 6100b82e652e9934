"""Where records are kept: connection, transactions, tables, migrations."""
