FROM registry.access.redhat.com/ubi9/ubi-minimal:9.5

LABEL name="example/api" \
      io.k8s.display-name="API" \
      io.openshift.expose-services="8080:http"

RUN microdnf install -y --nodocs --setopt=install_weak_deps=0 shadow-utils tar gzip \
 && microdnf clean all

WORKDIR /opt/app
COPY --chown=1001:0 dist/ ./
RUN chmod -R g=u /opt/app
USER 1001
EXPOSE 8080
ENTRYPOINT ["/opt/app/bin/api"]
