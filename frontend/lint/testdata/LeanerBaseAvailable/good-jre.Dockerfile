FROM eclipse-temurin:21-jre-alpine
