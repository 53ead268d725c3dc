FROM alpine:3.21
RUN apk add --no-cache --allow-untrusted ./x.apk
# want: 2
