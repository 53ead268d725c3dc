ARG UID=0
FROM debian:12.9-slim
ARG UID
USER ${UID}:0
# want: 4
