FROM debian:12.9
ENTRYPOINT ["entry"]
CMD [ "npm", \
  "start" ]
CMD []
