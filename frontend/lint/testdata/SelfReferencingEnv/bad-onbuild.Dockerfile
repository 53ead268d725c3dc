FROM debian:12.9
ONBUILD ENV A=1 B=$A
# want: 2
