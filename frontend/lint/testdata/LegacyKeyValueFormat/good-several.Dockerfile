FROM debian:12.9
ENV A=b C=d
