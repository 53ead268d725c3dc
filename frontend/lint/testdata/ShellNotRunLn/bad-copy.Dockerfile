FROM debian:12
RUN cp /bin/bash /bin/sh
RUN mv /bin/bash /bin/sh
# want: 2,3
