FROM debian:12.9
ENV A 1 B=$A
