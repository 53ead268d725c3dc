package keepset

import "regexp"

// databaseFamilies are what SQL names: extensions, conversions, dictionaries,
// character sets. PostgreSQL's compiler of expressions, with the library of
// LLVM behind it, stays out where the run did without: the server then
// interprets them (PostgreSQL, jit.c).
var databaseFamilies = []family{
	{rule: "postgresql", name: regexp.MustCompile(`^postgres$`), folder: regexp.MustCompile(`^/usr/lib/postgresql/\d+/bin$`), keep: named(
		"@/../lib/[!l]*.so", "@/../lib/l[!l]*.so", "/usr/share/postgresql/*/timezonesets",
		"/usr/share/postgresql/*/tsearch_data", "/usr/share/postgresql/*/extension", "/var/cache/postgresql/dicts")},
	{rule: "postgresql", name: regexp.MustCompile(`^postgres$`), folder: regexp.MustCompile(`^/usr(/local)?/bin$`), keep: named(
		"@/../lib/postgresql/[!l]*.so", "@/../lib/postgresql/l[!l]*.so", "@/../share/postgresql/timezonesets",
		"@/../share/postgresql/tsearch_data", "@/../share/postgresql/extension")},
	{rule: "postgresql cluster", name: regexp.MustCompile(`^initdb$`), folder: regexp.MustCompile(`/bin$`), keep: named(
		"@/postgres", "/usr/share/postgresql/*/*.{bki,sql,sample,txt}", "@/../share/postgresql/*.{bki,sql,sample,txt}")},
	{rule: "mariadb", name: regexp.MustCompile(`^(mariadbd|mysqld)$`), folder: binFolder, keep: named(
		"/usr/share/mysql/charsets", "/usr/share/mysql/*/errmsg.sys", "/usr/share/mariadb/charsets", "/usr/share/mariadb/*/errmsg.sys",
		"@/../lib/mysql/plugin/*.so", "@/../lib/mariadb/plugin/*.so")},
	{rule: "mariadb tables", name: regexp.MustCompile(`^(mariadb-install-db|mysql_install_db)$`), folder: binFolder, keep: named(
		"/usr/share/mysql/*.sql", "/usr/share/mariadb/*.sql")},
	{rule: "mariadb client", name: regexp.MustCompile(`^libmariadb\.so\.`), folder: libFolder, keep: named("@/libmariadb3/plugin", "@/mariadb/plugin")},
}
