ARG VARIANT=alpine
FROM ruby:3.3-${VARIANT}
# want: 2
