FROM debian:12.9 AS a
