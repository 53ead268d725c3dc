from debian:12.9
run true
RUN true
# want: 3
