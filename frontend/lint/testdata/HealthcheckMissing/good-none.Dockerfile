from debian:12.9 as base
healthcheck none
from base
expose 80
