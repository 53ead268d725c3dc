FROM debian:12.9 AS base
EXPOSE 80
FROM base
CMD ["x"]
# want: 2
