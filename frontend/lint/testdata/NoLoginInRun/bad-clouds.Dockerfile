FROM debian:12
ARG KEY
RUN aws configure set region eu-west-1 && \
    aws configure set aws_secret_access_key $KEY
RUN gcloud auth activate-service-account --key-file key.json
RUN az login --service-principal -u a -p "$KEY" -t b
# want: 4,5,6
