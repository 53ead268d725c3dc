FROM mcr.microsoft.com/dotnet/sdk:8.0
CMD ["dotnet", "run"]
# want: 1
