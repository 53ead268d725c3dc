FROM ruby:3.4
RUN gem install x.gem && gem update --system && gem list
