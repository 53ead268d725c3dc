FROM debian:12
WORKDIR /src
COPY . .
ADD key.pem ./key.pem
RUN make && rm -rf /src
# want: 5
