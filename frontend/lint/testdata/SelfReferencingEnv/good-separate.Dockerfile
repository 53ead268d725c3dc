FROM debian:12.9
ENV BASE=/opt
ENV BIN="${BASE}/bin"
