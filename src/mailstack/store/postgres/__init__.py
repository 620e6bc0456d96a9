"""The store on PostgreSQL, for one node or many: the functions of store/sql over psycopg's libpq, in pipeline mode.

docs/decisions/0016 says how. Needs the extra `postgres`; nothing imports this package where it is not installed.
"""
