FROM node:22
RUN npm install express@4.1.1
RUN npm install @scope/x@1.0.0 --registry https://r.example
RUN npm install git+https://github.com/npm/npm.git#v1.0.27
RUN npm install --prefix /x express@"4.1.1" sax@">=0.1.0 <0.2.0"
