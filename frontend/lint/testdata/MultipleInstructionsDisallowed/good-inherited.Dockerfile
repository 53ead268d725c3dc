FROM debian:12.9 AS a
CMD ["a"]
FROM a
CMD ["b"]
