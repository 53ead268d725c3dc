FROM debian:12.9
ENV JAVA_HOME=/opt/java \
    PATH=/opt/java/bin:$PATH \
    TOOLS=$JAVA_HOME/tools
# want: 4
