from debian:12.9 as a
