FROM debian:12.9
VOLUME /device /library /procs
