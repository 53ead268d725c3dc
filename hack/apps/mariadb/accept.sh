# shellcheck shell=bash
serve -e MARIADB_INIT="create user app@'%' identified by 'x';
grant all on *.* to app@'%'" 3306
sql() { client mariadb --default-character-set=utf8mb4 -h 127.0.0.1 -u app -px -N -e "$@"; }
is 'a user of the entrypoint' 'app@' sql 'select current_user()'
is 'create database' ^ sql "create database shop character set utf8mb4 collate utf8mb4_german2_ci; create table shop.t (id int auto_increment primary key, name varchar(50), fulltext (name)) engine=innodb; insert into shop.t (name) values ('Größe'), ('ein kleiner Hund')"
for engine in MyISAM Aria MEMORY CSV MRG_MyISAM; do
	is "engine $engine" ^ sql "create or replace table shop.e (x int not null) engine=$engine"
done
for charset in latin1 latin2 cp1250 koi8r sjis ujis big5 gbk euckr utf16 ucs2 hebrew tis620; do
	is "character set $charset" '^616263|^0061' sql "select hex(convert('abc' using $charset))"
done
is 'collations' '^1' sql "select 'ß' = 'ss' collate utf8mb4_german2_ci"
is 'Turkish' 'utf8mb4_turkish_ci' sql "show collation like 'utf8mb4_turkish_ci'"
is 'text search' 'Hund' sql "select name from shop.t where match (name) against ('kleiner')"
is 'months in German' 'Januar' sql "set lc_time_names = 'de_DE'; select date_format('2020-01-01', '%M')"
exits 'messages in German' 1 'Tabelle .*nichts.* existiert nicht' sql "set lc_messages = 'de_DE'; select * from shop.nichts"
is 'time zones by offset' '09:00:00' sql "select convert_tz('2020-01-01', '+00:00', '+09:00')"
is 'JSON' '"b"' sql "select json_extract('{\"a\": \"b\"}', '\$.a')"
is 'regular expressions' 'x-y' sql "select regexp_replace('x y', '\\\\s', '-')"
is 'windows' '^1' sql 'select row_number() over (order by id) from shop.t'
is 'a plugin' ^ sql "install soname 'ha_blackhole'"
is 'another' ^ sql "install soname 'simple_password_check'"
is 'sys schema' '10\.|11\.' sql 'select version()'
is 'help' 'SELECT' sql 'help select'
is 'procedures' 'hello' sql "delimiter //
create procedure shop.p() begin select 'hello'; end //
call shop.p() //"
is 'dump' 'INSERT INTO .t.' client mariadb-dump -h 127.0.0.1 -u app -px shop
exits 'bad SQL' 1 'error in your SQL syntax' sql selec
exits 'wrong password' 1 'Access denied' client mariadb -h 127.0.0.1 -u app -pwrong -e 'select 1'
is 'TLS or none' 'Ssl_cipher' sql "show status like 'Ssl_cipher'"
stop
restart
is 'what was written' 'Größe' sql 'select name from shop.t'
stop
