# shellcheck shell=bash
serve -e POSTGRES_INIT='create table seen (x int); insert into seen values (1)' 5432
sql() { client psql -h 127.0.0.1 -U postgres -v ON_ERROR_STOP=1 -Atc "$@"; }
is 'the branch of the entrypoint' '^1' sql 'select x from seen'
is 'time zones' '09:00:00' sql "select timestamptz 'epoch' at time zone 'Asia/Tokyo'"
is 'zones by name' 'America/New_York' sql "select name from pg_timezone_names where name = 'America/New_York'"
is 'abbreviations of zones' '05:00' sql "select timestamptz '2020-01-01 00:00 EST' at time zone 'UTC'"
is 'text search' "'fox':3 'jump':4" sql "select to_tsvector('english', 'the quick fox jumps')"
is 'German text search' "'haus'" sql "select to_tsvector('german', 'die Häuser')"
is 'dictionaries' 'ispell|simple' sql 'select tmplname from pg_ts_template'
for extension in pgcrypto hstore citext pg_trgm unaccent ltree cube earthdistance fuzzystrmatch intarray tablefunc uuid-ossp btree_gist btree_gin bloom dblink postgres_fdw file_fdw pg_stat_statements xml2 isn lo seg; do
	is "create extension $extension" 'CREATE EXTENSION' sql "create extension \"$extension\" cascade"
done
is 'pgcrypto' '^[0-9a-f]{64}' sql "select encode(digest('x', 'sha256'), 'hex')"
is 'uuid' '^[0-9a-f-]{36}' sql 'select uuid_generate_v4()'
is 'unaccent' 'Hotel' sql "select unaccent('Hôtel')"
is 'PL/pgSQL' 'NOTICE:  hello' sql "do \$\$ begin raise notice 'hello'; end \$\$"
is 'ICU collations' 'a.*Z' sql "select string_agg(x, '' order by x collate \"de-x-icu\") from (values ('Z'), ('a'), ('ä')) v (x)"
is 'more databases' 'CREATE DATABASE' sql "create database latin template template0 encoding latin1 locale 'C'"
for encoding in SJIS EUC_JP BIG5 WIN1251 LATIN2 GBK UHC KOI8R; do
	is "client encoding $encoding" ^ sql "select convert_to('abc', '$encoding')"
done
is 'XML' '<a>1</a>' sql "select xmlelement(name a, 1)"
is 'JSON' '"a": 1' sql "select jsonb_pretty('{\"a\": 1}')"
is 'a parallel query' '1000000' sql 'set jit_above_cost = 0; set max_parallel_workers_per_gather = 2; select count(*) from generate_series(1, 1000000)'
is 'information schema' 'seen' sql "select table_name from information_schema.tables where table_schema = 'public'"
is 'copy to a program' ^ sql "copy seen to '/tmp/seen.csv' csv header"
exits 'bad SQL' 1 'syntax error at or near "selec"' sql selec
exits 'division by zero' 1 'division by zero' sql 'select 1/0'
is 'dump' 'CREATE TABLE public.seen' client pg_dump -h 127.0.0.1 -U postgres
is 'vacuum' 'VACUUM' sql 'vacuum'
stop INT
restart
is 'what was written' '^1' sql 'select x from seen'
stop INT
