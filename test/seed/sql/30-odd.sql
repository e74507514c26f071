-- Names that break what builds SQL, paths or screens by pasting.
CREATE SCHEMA "Odd ""names""; DROP SCHEMA hr; --" AUTHORIZATION "Odd ""role""";
SET search_path = "Odd ""names""; DROP SCHEMA hr; --", public;
CREATE TABLE "it's a ""table""" ("a column" int PRIMARY KEY, "quote""d" text DEFAULT 'it''s \ fine', "100% %s" numeric, "select" text);
CREATE TABLE "new
line" ("tab	and
newline" text, "trailing " int);
CREATE TABLE "数据 表" ("列一" text, "العربية" text, "emoji 🦆" text);
CREATE TABLE "UPPER.lower/../up" (id int, "$1" text, "a,b" text, "{}" int[]);
CREATE TABLE no_columns ();
CREATE TABLE copy_marks (t text, b bytea);
CREATE TABLE "a_name_of_exactly_sixty_three_bytes_which_is_postgresqls_limit_x" (id int);
COMMENT ON TABLE "it's a ""table""" IS E'a comment with ''quotes'', a "name", a\nnewline, a \\ and 100%';
COMMENT ON COLUMN "数据 表"."列一" IS '第一列';
CREATE INDEX "index with ""quotes"" and
a newline" ON "数据 表" ("列一");
CREATE VIEW "view of $$" AS SELECT "a column" AS "a -- b", '$$' AS dollars FROM "it's a ""table""";
CREATE FUNCTION "fn with space"("arg ""1""" int) RETURNS int LANGUAGE sql IMMUTABLE AS $body$ SELECT "arg ""1""" * 2 -- '$$' $body$;

INSERT INTO "it's a ""table""" VALUES (1, E'line\nbreak\ttab', 99.5, 'from'), (2, NULL, 'NaN', ''), (3, '\N', -0.0001, '\.');
INSERT INTO "new
line" VALUES (E'x\ny', 1), (NULL, NULL);
INSERT INTO "数据 表" VALUES ('一', 'مرحبا', '🦆'), (E'e\u0301', '‮override', E'\u200bzero width');
INSERT INTO "UPPER.lower/../up" SELECT i, repeat('$', i), 'a,b', ARRAY[i, NULL, i + 1] FROM generate_series(1, 20) i;
INSERT INTO copy_marks VALUES ('\.', '\x00ff5c2e0a'), (E'\\.\n\\.\n\n\n', '\x'), (E'\x01\x1b[31mred\x07', NULL), ('PGDMP', 'PGDMP');
ALTER TABLE "it's a ""table""" OWNER TO "Odd ""role""";
GRANT SELECT ("a column"), UPDATE ("quote""d") ON "it's a ""table""" TO reporting;
GRANT INSERT ON "数据 表" TO "Odd ""role""" WITH GRANT OPTION;
RESET search_path;
