FROM scratch
COPY app /app
COPY --from=$STAGE /a /a
