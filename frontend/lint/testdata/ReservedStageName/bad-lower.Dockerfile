from debian:12.9 as context
# want: 1
