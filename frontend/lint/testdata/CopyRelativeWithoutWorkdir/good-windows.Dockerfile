FROM mcr.microsoft.com/windows/nanoserver:ltsc2022
COPY bla.sh c:\system32\blubb.sh
COPY bla.sh C:/bla.sh
COPY "bla.sh" "D:\bla.sh"
