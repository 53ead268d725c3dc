FROM debian:12.9
CMD ['server', 'x']
ENTRYPOINT [entry]
# want: 2,3
