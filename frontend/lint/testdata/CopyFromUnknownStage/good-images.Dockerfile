FROM scratch
COPY --from=haskell:9.8 /a /a
COPY --from=registry.example.com:5000/tools@sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d /b /b
