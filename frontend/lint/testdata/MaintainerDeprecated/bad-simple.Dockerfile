FROM debian:12.9
MAINTAINER Some Body <a@example.com>
# want: 2
