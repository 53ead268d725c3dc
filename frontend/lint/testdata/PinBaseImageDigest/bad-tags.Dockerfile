FROM debian:12.9-slim AS a
FROM debian
FROM scratch
# want: 1,2
