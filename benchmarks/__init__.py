"""How fast is this library beside ClickHouse, DuckDB, Polars and pandas on the same columns, and in how much memory?"""
