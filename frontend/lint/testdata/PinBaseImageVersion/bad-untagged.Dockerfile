FROM debian
FROM debian AS builder
FROM registry.example.com:5000/team/debian
# want: 1,2,3
