#!/bin/sh
printf "Content-Type: text/plain\r\n\r\n"
echo "$QUERY_STRING" | tr '[:lower:]' '[:upper:]'
