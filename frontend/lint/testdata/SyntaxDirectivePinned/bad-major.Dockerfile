# syntax=docker/dockerfile:1
FROM debian:12.9
# want: 1
