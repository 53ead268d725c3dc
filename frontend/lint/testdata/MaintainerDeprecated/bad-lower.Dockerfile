from debian:12.9
maintainer a
# want: 2
