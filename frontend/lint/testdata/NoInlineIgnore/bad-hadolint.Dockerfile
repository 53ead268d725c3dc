# hadolint global ignore=DL3008
FROM debian:12.9
# hadolint ignore=DL3002,DL3009
RUN true
# want: 1,3
