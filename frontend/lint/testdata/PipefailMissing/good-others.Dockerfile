FROM mcr.microsoft.com/windows/servercore:ltsc2022
RUN Get-Variable PSVersionTable | Select-Object -ExpandProperty Value
