FROM scratch
COPY $SOURCE /
# want: 2
