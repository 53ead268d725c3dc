from debian:12.9-slim as base
user app:app

from base
cmd ["/app"]
