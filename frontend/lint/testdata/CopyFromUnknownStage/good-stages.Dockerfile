FROM golang:1.23 AS Build
FROM scratch
COPY --from=build /a /a
copy --from=0 /b /b
ONBUILD COPY --from=build /c /c
