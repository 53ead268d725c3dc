FROM debian:12.9 AS a
COPY . .
RUN go mod download
FROM debian:12.9 AS b
COPY . .
RUN yarn
RUN bundle install --jobs 4
FROM debian:12.9
COPY . .
RUN ["composer", "install"]
RUN mvn -B dependency:go-offline package
# want: 3,6,7,10,11
