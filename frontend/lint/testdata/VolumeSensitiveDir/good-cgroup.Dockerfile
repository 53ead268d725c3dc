FROM debian:12.9
VOLUME ["/sys/fs/cgroup"]
