from ubuntu:24.04
run apt-get update \
 # install it
 && sudo -E apt-get install -y curl
# want: 4
