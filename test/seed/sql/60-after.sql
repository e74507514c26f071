-- Keys, indexes, code and rights, made after the data as pg_restore does.
ALTER TABLE sales.customers ADD PRIMARY KEY (id), ADD CONSTRAINT customers_email_key UNIQUE (email);
ALTER TABLE sales.orders ADD PRIMARY KEY (id, placed_at);
ALTER TABLE sales.order_lines ADD PRIMARY KEY (order_id, line_no);
ALTER TABLE catalog.products ADD PRIMARY KEY (id), ADD CONSTRAINT products_sku_key UNIQUE (sku) INCLUDE (price);
ALTER TABLE catalog.documents ADD PRIMARY KEY (id);
CREATE INDEX orders_customer ON sales.orders (customer_id);
CREATE INDEX customers_recent ON sales.customers (signed_up DESC) WHERE newsletter;
CREATE INDEX products_search ON catalog.products USING gin (search);
CREATE INDEX products_like ON catalog.products USING gin (name ext.gin_trgm_ops);
CREATE INDEX events_at ON audit.events USING brin (at);
CREATE STATISTICS sales.orders_state_customer (dependencies) ON state, customer_id FROM sales.orders_rest;
ALTER TABLE catalog.price_history ADD CONSTRAINT one_price_at_a_time EXCLUDE USING gist (product_id WITH =, valid WITH &&);

ALTER TABLE sales.orders ADD FOREIGN KEY (customer_id) REFERENCES sales.customers;
ALTER TABLE sales.order_lines ADD FOREIGN KEY (product_id) REFERENCES catalog.products ON UPDATE CASCADE;
ALTER TABLE catalog.documents ADD FOREIGN KEY (product_id) REFERENCES catalog.products ON DELETE CASCADE NOT VALID;
-- A cycle, and a table that refers to itself: data-only restores must cope.
ALTER TABLE hr.employees ADD FOREIGN KEY (department_id) REFERENCES hr.departments DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE hr.departments ADD FOREIGN KEY (head_id) REFERENCES hr.employees, ADD FOREIGN KEY (parent_id) REFERENCES hr.departments;
ALTER TABLE hr.employees ADD FOREIGN KEY (mentor_id) REFERENCES hr.employees;

CREATE VIEW sales.open_orders WITH (security_barrier) AS
SELECT o.id, o.placed_at, c.full_name, (o.ship_to).city, o.total FROM sales.orders o JOIN sales.customers c ON c.id = o.customer_id
WHERE o.state IN ('draft', 'placed', 'paid');
CREATE VIEW hr.heads AS WITH RECURSIVE up AS (
    SELECT id, name, parent_id, 1 AS depth FROM hr.departments WHERE parent_id IS NULL
    UNION ALL SELECT d.id, d.name, d.parent_id, depth + 1 FROM hr.departments d JOIN up ON d.parent_id = up.id
) SELECT up.*, e.full_name AS head FROM up JOIN hr.departments d USING (id) JOIN hr.employees e ON e.id = d.head_id;
CREATE MATERIALIZED VIEW sales.revenue AS
SELECT date_trunc('month', placed_at) AS month, state, count(*) AS orders, sum(total::numeric) AS total FROM sales.orders GROUP BY 1, 2;
CREATE UNIQUE INDEX revenue_key ON sales.revenue (month, state);
CREATE MATERIALIZED VIEW sales.revenue_by_year AS
SELECT date_trunc('year', month) AS year, sum(total) AS total FROM sales.revenue GROUP BY 1;
CREATE MATERIALIZED VIEW sales.never_filled AS SELECT * FROM sales.open_orders WITH NO DATA;

CREATE FUNCTION audit.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    INSERT INTO audit.events (at, kind, payload)
    VALUES (now(), lower(TG_OP), jsonb_build_object('table', TG_TABLE_NAME, 'row', to_jsonb(COALESCE(NEW, OLD))));
    RETURN NULL;
END
$$;
CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON hr.employees FOR EACH ROW EXECUTE FUNCTION audit.note();
CREATE CONSTRAINT TRIGGER note_late AFTER UPDATE ON hr.departments DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit.note();
ALTER TABLE hr.departments DISABLE TRIGGER note_late;
CREATE PROCEDURE sales.close_month(month date) LANGUAGE sql BEGIN ATOMIC
    UPDATE sales.orders SET state = 'shipped' WHERE state = 'paid' AND placed_at < close_month.month;
END;
CREATE FUNCTION sales.keep_longest(a text, b text) RETURNS text LANGUAGE sql IMMUTABLE RETURN CASE WHEN length(b) > length(a) THEN b ELSE a END;
CREATE AGGREGATE sales.longest(text) (SFUNC = sales.keep_longest, STYPE = text, INITCOND = '');
CREATE RULE keep AS ON DELETE TO audit.events_other DO INSTEAD NOTHING;
CREATE COLLATION public.natural_order (provider = icu, locale = 'en-u-kn-true');
CREATE TEXT SEARCH CONFIGURATION public.plain (COPY = simple);
CREATE CAST (sales.order_state AS text) WITH INOUT;
CREATE PUBLICATION shop FOR TABLE sales.customers, catalog.products;

CREATE SERVER warehouse FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'warehouse.invalid', dbname 'stock');
-- Without options: PostgreSQL shows other users' options to superusers only, so that a dump by any
-- other role, which is how backups should be made, cannot hold them.
CREATE USER MAPPING FOR sales_app SERVER warehouse;
CREATE FOREIGN TABLE sales.stock (sku text, pieces integer) SERVER warehouse OPTIONS (schema_name 'public');

ALTER TABLE hr.employees ENABLE ROW LEVEL SECURITY;
ALTER TABLE hr.employees FORCE ROW LEVEL SECURITY;
CREATE POLICY own_row ON hr.employees FOR SELECT USING (login = current_user);
CREATE POLICY people_team ON hr.employees TO hr_admin USING (true) WITH CHECK (salary < 500000);
ALTER TABLE sales.customers ENABLE ROW LEVEL SECURITY;
CREATE POLICY app_reads ON sales.customers AS PERMISSIVE FOR ALL TO sales_app USING (true);
CREATE POLICY not_deleted ON sales.customers AS RESTRICTIVE FOR SELECT TO reporting USING (NOT ext.exist(tags, 'deleted'));

GRANT SELECT, INSERT, UPDATE ON sales.orders, sales.order_lines TO sales_app;
GRANT SELECT (id, full_name, signed_up) ON sales.customers TO reporting;
GRANT SELECT ON ALL TABLES IN SCHEMA audit TO auditor;
GRANT SELECT ON hr.heads TO PUBLIC;
REVOKE ALL ON FUNCTION audit.note() FROM PUBLIC;
GRANT EXECUTE ON PROCEDURE sales.close_month TO sales_app;
GRANT USAGE ON FOREIGN SERVER warehouse TO sales_app WITH GRANT OPTION;
GRANT USAGE ON TYPE sales.order_state TO reporting;
COMMENT ON CONSTRAINT one_price_at_a_time ON catalog.price_history IS 'prices of a product never overlap';
COMMENT ON TRIGGER note ON hr.employees IS 'every change is on record';
ALTER MATERIALIZED VIEW sales.revenue OWNER TO sales_owner;
ALTER VIEW sales.open_orders OWNER TO sales_owner;
ANALYZE;
