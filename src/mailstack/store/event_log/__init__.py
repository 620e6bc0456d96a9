"""What a node has told, kept beside its store: segments of JSON lines that become Parquet, and DuckDB to ask it.

Nothing here is shared between nodes, and nothing that serves mail waits for it.
"""
