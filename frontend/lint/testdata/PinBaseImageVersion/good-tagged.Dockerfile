FROM debian:bookworm-slim
FROM registry.example.com:5000/team/debian:12
FROM mcr.microsoft.com/windows/nanoserver:ltsc2022
