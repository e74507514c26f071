create schema "odd ""schema";
create type mood as enum ('sad', 'ok', 'happy');
create table customers (
  id int generated always as identity primary key,
  name text not null,
  mood mood default 'ok',
  name_length int generated always as (length(name)) stored
);
insert into customers (name, mood) select 'customer ' || g, (array['sad','ok','happy'])[1 + g % 3]::mood from generate_series(1, 40) g;
create table empty_table (a int, b text);
create table no_columns ();
insert into no_columns default values;
insert into no_columns default values;
create table measures (at date not null, value numeric) partition by range (at);
create table measures_2025 partition of measures for values from ('2025-01-01') to ('2026-01-01');
create table measures_2026 partition of measures for values from ('2026-01-01') to ('2027-01-01');
insert into measures select date '2025-12-20' + g, g * 1.5 from generate_series(0, 29) g;
create table "odd ""schema"."数据 table" ("col\umn" text, b bytea);
insert into "odd ""schema"."数据 table" values (E'two\nlines', '\x00010a0d'), (E'\\.', null), (E'tab\tback\\slash', '\x5c2e0a'), ('', ''), (E'\\.\n\n\n', '\x0a0a0a');
create table "new
line" (x text);
insert into "new
line" values ('a'), ('b');
create view sad_customers as select * from customers where mood = 'sad';
create materialized view moods as select mood, count(*) from customers group by 1;
create index customers_name on customers (name);
alter table customers add constraint name_given check (name <> '');
comment on table customers is 'who buys';
create role reader;
grant select on customers to reader;
alter table customers enable row level security;
create policy all_rows on customers using (true);
create function twice(i int) returns int language sql immutable as 'select i * 2';
select lo_from_bytea(50001, '\x0102030a'), lo_from_bytea(50002, ''), lo_from_bytea(50003, decode(repeat('0a', 5000), 'hex'));
alter large object 50002 owner to reader;
grant select on large object 50001 to reader;
create extension if not exists hstore;
