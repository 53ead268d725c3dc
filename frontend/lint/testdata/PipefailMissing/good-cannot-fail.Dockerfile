FROM debian:12
RUN echo "x  y" | sha256sum -c - && yes | make config && printf x | tee /x
RUN echo x:1:2 | tee /etc/subuid | tee /etc/subgid && echo "$(./version)" | tee /v
