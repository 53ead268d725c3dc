FROM debian:12.9
ARG JAR=target/app.jar
ADD ${JAR} app.jar
ADD build/${NAME}.jar /
# want: 3,4
