FROM debian:12.9 AS base
SHELL ["powershell", "-Command"]
FROM base
CMD run.ps1
# want: 4
