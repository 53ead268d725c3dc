FROM debian:12
RUN /foo.sh
# a comment
RUN <<EOF
/bar.sh
EOF
RUN /baz.sh
# want: 4,7
