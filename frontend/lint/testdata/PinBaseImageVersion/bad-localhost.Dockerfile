FROM localhost/base
FROM localhost:5000/base:latest
# want: 1,2
