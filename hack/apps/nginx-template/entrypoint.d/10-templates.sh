#!/bin/sh
# Fills in the templates with the variables of the environment.
set -eu
for template in /etc/nginx/templates/*.template; do
	target=/etc/nginx/conf.d/$(basename "$template" .template)
	# shellcheck disable=SC2016  # names, not values
	envsubst '$GREETING $BACKEND' <"$template" >"$target"
done
