FROM debian:12
RUN --mount=type=secret,id=key,target=/run/key gcloud auth activate-service-account --key-file /run/key
RUN --mount=type=secret,id=aws,target=/root/.aws/credentials aws s3 cp s3://a/b /b
