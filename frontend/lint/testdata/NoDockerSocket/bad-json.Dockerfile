FROM debian:12.9
VOLUME ["/run/docker.sock"]
VOLUME ["/run/containerd/containerd.sock"]
# want: 2,3
