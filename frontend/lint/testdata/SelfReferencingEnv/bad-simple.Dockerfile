FROM debian:12.9
ENV BASE=/opt BIN="${BASE}/bin"
# want: 2
