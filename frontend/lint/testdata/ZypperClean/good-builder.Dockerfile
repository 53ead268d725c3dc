FROM opensuse/leap:15.6 AS b
RUN zypper -n in gcc
FROM scratch
COPY --from=b /x /x
