FROM debian:12.9 AS build
ENV STRIPE_SECRET_KEY=sk
FROM scratch
COPY --from=build /a /a
# want: 2
