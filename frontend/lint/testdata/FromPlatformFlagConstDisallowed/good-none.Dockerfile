FROM debian:12.9
