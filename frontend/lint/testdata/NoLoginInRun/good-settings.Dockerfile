FROM debian:12
RUN aws configure set region eu-west-1 && aws configure list
RUN gcloud config set project a && az version && docker --version
RUN gh auth status || true
