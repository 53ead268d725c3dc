# check=error=true
FROM debian:12.9
# slim: rule NonRootUser=error
USER 1
