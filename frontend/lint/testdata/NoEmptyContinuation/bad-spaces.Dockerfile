FROM debian:12.9
ENV A=1 \
  \
   
  B=2
# want: 5
