FROM ruby:3.4
RUN gem install nokogiri:1.0 -- --use-system-libraries --with-xml2-config=bundled
