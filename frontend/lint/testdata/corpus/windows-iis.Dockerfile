# escape=`
FROM mcr.microsoft.com/windows/servercore/iis:windowsservercore-ltsc2022
SHELL ["powershell", "-Command", "$ErrorActionPreference = 'Stop';"]
RUN Remove-Item -Recurse C:\inetpub\wwwroot\*; `
    New-Item -ItemType Directory C:\site
WORKDIR C:\site
COPY content\ .
COPY ["config files\\web.config", "C:\\site\\"]
EXPOSE 80
