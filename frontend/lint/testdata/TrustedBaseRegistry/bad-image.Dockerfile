FROM evil/debian:12.9
FROM registry.example.com/other/go:1.23
# want: 1,2
