FROM mcr.microsoft.com/windows/nanoserver:ltsc2022
COPY run.sh c:\system32\start.sh
COPY run.sh C:/run.sh
COPY "run.sh" "D:\run.sh"
