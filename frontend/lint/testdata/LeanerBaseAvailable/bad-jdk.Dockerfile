FROM eclipse-temurin:21.0.5_11-jdk
# want: 1
