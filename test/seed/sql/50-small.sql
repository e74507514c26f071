-- Small data that is the same at every size.
INSERT INTO hr.departments (id, name, parent_id)
SELECT i, (ARRAY['Board', 'Finance', 'Warehouse', 'Shop', 'Support', 'Engineering', 'People', 'Legal'])[i], CASE WHEN i > 1 THEN 1 END
FROM generate_series(1, 8) i;
INSERT INTO hr.employees (id, department_id, mentor_id, full_name, hired, salary, band, login)
SELECT i, 1 + i % 8, CASE WHEN i > 8 THEN i / 2 END, format('Employee %s', to_char(i, 'FM0000')),
    date '2012-01-02' + i * 13 % 5000, 32000 + i * 7919 % 60000, hr.floatrange(i % 5, i % 5 + 1.5),
    CASE i WHEN 1 THEN 'hr_admin' WHEN 2 THEN 'analyst_anna' END
FROM generate_series(1, 400) i;
UPDATE hr.departments SET head_id = id;
INSERT INTO hr.absences
SELECT i, daterange(date '2026-01-01' + i * 3 % 300, date '2026-01-01' + i * 3 % 300 + 1 + i % 9), (ARRAY['holiday', 'ill', NULL])[1 + i % 3]
FROM generate_series(1, 400) i;
INSERT INTO hr.people (name, born, phone) VALUES ('Guest', '1990-05-05', NULL);
INSERT INTO hr.contractors (name, born, phone, agency) SELECT 'Contractor ' || i, date '1980-01-01' + i * 97, '+49 30 ' || 1000 + i, 'ACME' FROM generate_series(1, 30) i;
INSERT INTO audit.scratch VALUES ('cache', 'lost after a crash, and that is right');
INSERT INTO catalog.price_history
SELECT i, tstzrange('2024-01-01Z'::timestamptz + y * interval '1 year', '2024-01-01Z'::timestamptz + (y + 1) * interval '1 year'), 1 + (i * 37 + y * 5) % 900
FROM generate_series(1, 300) i, generate_series(0, 2) y;
SELECT setval('sales.invoice_no', 4999);
