# syntax=org/slimfile
FROM debian:12.9
# want: 1
