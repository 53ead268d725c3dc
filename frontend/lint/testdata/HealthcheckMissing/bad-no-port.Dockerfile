FROM debian:12.9
CMD ["tool"]
# want: 1
