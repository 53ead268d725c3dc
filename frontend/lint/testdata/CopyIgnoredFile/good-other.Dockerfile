FROM scratch
COPY app.env.example src /app/
COPY $UNKNOWN /x
COPY . /all
