# A comment ends the directives.
# syntax=docker/dockerfile:1
FROM debian:12.9
