FROM debian:12
RUN V="$(curl x | cut -c2-)" && echo "$V"
# want: 2
