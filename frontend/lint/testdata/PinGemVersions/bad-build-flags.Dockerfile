FROM ruby:3.4
RUN gem install nokogiri --no-document -- --use-system-libraries
# want: 2
