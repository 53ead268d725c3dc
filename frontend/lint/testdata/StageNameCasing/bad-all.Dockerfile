FROM debian:12.9 AS BASE
FROM BASE
# want: 1
