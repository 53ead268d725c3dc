FROM debian:12.9 AS a
CMD ["a"]
FROM debian:12.9
CMD ["b"]
