#!/bin/sh
# entrypoint.sh mariadbd [OPTION...]: the server; anything else is run as it is.
set -eu
if [ "$1" = mariadbd ] && [ ! -d /var/lib/mysql/mysql ]; then
	mariadb-install-db --skip-test-db --auth-root-authentication-method=normal >&2
	if [ -n "${MARIADB_INIT:-}" ]; then
		printf 'FLUSH PRIVILEGES;\n%s;\n' "$MARIADB_INIT" | mariadbd --bootstrap --skip-networking
	fi
fi
exec "$@"
