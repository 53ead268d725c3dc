#!/bin/sh
# entrypoint.sh postgres [OPTION...]: the server; anything else is run as it is.
set -eu
if [ "$1" = postgres ] && [ ! -s "$PGDATA/PG_VERSION" ]; then
	initdb --auth-local=trust --auth-host=trust >/dev/null
	echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"
	if [ -n "${POSTGRES_INIT:-}" ]; then
		pg_ctl -o "-c listen_addresses=''" -w start >/dev/null
		printf '%s\n' "$POSTGRES_INIT" | psql -v ON_ERROR_STOP=1 --quiet
		pg_ctl -m fast -w stop >/dev/null
	fi
fi
exec "$@"
