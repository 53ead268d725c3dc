FROM debian:12.9
COPY run.sh start.sh
COPY run.sh ./start.sh
ADD a.tar .
# want: 2,3,4
