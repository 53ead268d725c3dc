FROM ubuntu:noble
FROM debian:bookworm-20241202-slim
FROM ubuntu:jammy-20240808
