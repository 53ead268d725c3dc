FROM python:3.13 AS build
RUN pip install build
FROM scratch
COPY --from=build /x /x
