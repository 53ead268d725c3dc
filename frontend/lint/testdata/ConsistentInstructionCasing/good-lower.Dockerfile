from debian:12.9
run true
