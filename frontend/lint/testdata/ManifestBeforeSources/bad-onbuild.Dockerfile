from node:22.1-slim
onbuild copy . /srv
onbuild run npm install
# want: 3
