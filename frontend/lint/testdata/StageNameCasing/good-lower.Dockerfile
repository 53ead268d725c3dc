FROM debian:12.9 AS build-1
