-- Parts the tables of the accounts by account: of a database that mailstack made, empty or full, in one transaction.
-- Stop every server first. docs/scale.md says when it is worth it, and what it costs.
--   psql -X -v ON_ERROR_STOP=1 -v parts=16 -f partition.sql "$DATABASE_URL"
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE SCHEMA part;
SELECT set_config('mailstack.parts', :'parts', true);
DO $$
DECLARE
    parts int := current_setting('mailstack.parts');
    tables name[] := ARRAY(
        SELECT relname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
        WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND attname = 'account_id'
          AND relname NOT IN ('account', 'address', 'app_password', 'push_subscription', 'shared', 'trash', 'web_session'));  -- the system's, which are small
    keys text[] := '{}';
    one text;
BEGIN
    SELECT array_agg(line ORDER BY place) INTO keys FROM (
        SELECT CASE contype WHEN 'p' THEN 1 ELSE 3 END,
            format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
        FROM pg_constraint WHERE conrelid = ANY (tables::text[]::regclass[])
        UNION ALL
        SELECT 2, pg_get_indexdef(indexrelid)
        FROM pg_index WHERE indrelid = ANY (tables::text[]::regclass[]) AND NOT indisprimary
    ) AS kept (place, line);
    FOREACH one IN ARRAY tables LOOP
        EXECUTE format('ALTER TABLE %I RENAME TO %I', one, one || '_whole');
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS) PARTITION BY HASH (account_id)', one, one || '_whole');
        FOR number IN 0 .. parts - 1 LOOP
            EXECUTE format('CREATE TABLE part.%I PARTITION OF %I FOR VALUES WITH (MODULUS %s, REMAINDER %s)',
                one || '_' || number, one, parts, number);
        END LOOP;
        EXECUTE format('INSERT INTO %I SELECT * FROM %I', one, one || '_whole');
    END LOOP;
    FOREACH one IN ARRAY tables LOOP
        EXECUTE format('DROP TABLE %I CASCADE', one || '_whole');
    END LOOP;
    FOREACH one IN ARRAY keys LOOP
        EXECUTE one;
    END LOOP;
    -- Before version 17 a parted table has no identity column: a sequence does the same.
    CREATE SEQUENCE search_vocabulary_chunk_seq OWNED BY search_vocabulary.chunk;
    PERFORM setval('search_vocabulary_chunk_seq', (SELECT COALESCE(MAX(chunk), 0) + 1 FROM search_vocabulary), false);
    ALTER TABLE search_vocabulary ALTER COLUMN chunk SET DEFAULT nextval('search_vocabulary_chunk_seq');
END $$;
COMMIT;
