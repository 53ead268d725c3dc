from debian:12.9 as base
workdir /srv
from base
cmd ["/app"]
