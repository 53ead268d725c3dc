# syntax=docker/dockerfile:1.12.1
FROM debian:12.9
