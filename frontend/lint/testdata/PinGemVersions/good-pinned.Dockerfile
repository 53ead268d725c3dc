FROM ruby:3.4
RUN gem install bundler:2.0.1
RUN gem install bundler -v '2.0.1'
RUN gem install bundler --version='2.0.1' && gem install --version 2.0 x
