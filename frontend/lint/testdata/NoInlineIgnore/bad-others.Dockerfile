FROM debian:12.9
# checkov:skip=CKV_DOCKER_2:no port
#trivy:ignore:DS-0002
# slim: rule NonRootUser=warn
USER root
# want: 2,3,4
