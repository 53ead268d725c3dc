from debian:12.9 AS a
# want: 1
