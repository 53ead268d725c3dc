FROM random.org/debian:12.9
FROM quay.io/app:1.0
# want: 1,2
