# check=skip=JSONArgsRecommended;error=true
FROM debian:12.9
CMD x
# want: 1
