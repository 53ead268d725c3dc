FROM bellsoft/liberica-runtime-container:jre-21-cds-musl AS layers
WORKDIR /layers
COPY target/app.jar app.jar
RUN java -Djarmode=tools -jar app.jar extract --layers --launcher

FROM bellsoft/liberica-runtime-container:jre-21-cds-musl
RUN adduser -S app
USER app
WORKDIR /app
COPY --from=layers /layers/app/dependencies/ ./
COPY --from=layers /layers/app/spring-boot-loader/ ./
COPY --from=layers /layers/app/snapshot-dependencies/ ./
COPY --from=layers /layers/app/application/ ./
ENTRYPOINT ["java", "org.springframework.boot.loader.launch.JarLauncher"]
