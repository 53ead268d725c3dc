FROM ruby:3.4
RUN gem i bundler
# want: 2
