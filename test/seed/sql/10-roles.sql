-- Roles belong to the cluster: loading a second database must find them and go on.
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['sales_owner', 'sales_app', 'reporting', 'analyst_anna', 'auditor', 'hr_admin', 'Odd "role"'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I', wanted);
        END IF;
    END LOOP;
END
$$;
ALTER ROLE sales_app LOGIN CONNECTION LIMIT 40 PASSWORD 'not-a-secret-only-a-seed';
ALTER ROLE analyst_anna LOGIN VALID UNTIL '2031-01-01 00:00:00+00';
ALTER ROLE hr_admin LOGIN CREATEROLE;
ALTER ROLE auditor BYPASSRLS;
ALTER ROLE sales_app SET statement_timeout = '30s';
ALTER ROLE reporting SET search_path = sales, catalog, public;
COMMENT ON ROLE reporting IS 'everybody who only reads';
GRANT reporting TO analyst_anna WITH ADMIN OPTION;
GRANT sales_owner TO sales_app;
GRANT pg_read_all_settings TO auditor;

-- Settings and rights of the database itself, under whatever name it has.
DO $$
DECLARE
    db text := current_database();
BEGIN
    EXECUTE format('COMMENT ON DATABASE %I IS %L', db, 'the shop; seeded data');
    EXECUTE format('ALTER DATABASE %I SET timezone = %L', db, 'UTC');
    EXECUTE format('ALTER DATABASE %I SET default_statistics_target = 50', db);
    EXECUTE format('ALTER ROLE sales_app IN DATABASE %I SET lock_timeout = %L', db, '5s');
    EXECUTE format('ALTER ROLE %I IN DATABASE %I SET work_mem = %L', 'Odd "role"', db, '8MB');
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', db);
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO reporting', db);
END
$$;

CREATE SCHEMA ext;
CREATE EXTENSION hstore SCHEMA ext;
CREATE EXTENSION citext SCHEMA ext;
CREATE EXTENSION pg_trgm SCHEMA ext;
CREATE EXTENSION btree_gist SCHEMA ext;
CREATE EXTENSION pgcrypto SCHEMA ext;
CREATE EXTENSION postgres_fdw SCHEMA ext;
GRANT USAGE ON SCHEMA ext TO PUBLIC;

CREATE SCHEMA sales AUTHORIZATION sales_owner;
CREATE SCHEMA catalog AUTHORIZATION sales_owner;
CREATE SCHEMA audit;
CREATE SCHEMA hr AUTHORIZATION hr_admin;
COMMENT ON SCHEMA audit IS 'append only; nobody''s to change';
GRANT USAGE ON SCHEMA sales, catalog TO reporting, sales_app;
GRANT USAGE ON SCHEMA audit TO auditor;
ALTER DEFAULT PRIVILEGES FOR ROLE sales_owner IN SCHEMA sales GRANT SELECT ON TABLES TO reporting;
ALTER DEFAULT PRIVILEGES FOR ROLE sales_owner GRANT USAGE ON SEQUENCES TO sales_app;
ALTER DEFAULT PRIVILEGES FOR ROLE hr_admin REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
