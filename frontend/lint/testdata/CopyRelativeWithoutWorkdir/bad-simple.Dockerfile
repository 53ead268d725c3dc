FROM debian:12.9
COPY bla.sh blubb.sh
COPY bla.sh ./blubb.sh
ADD a.tar .
# want: 2,3,4
