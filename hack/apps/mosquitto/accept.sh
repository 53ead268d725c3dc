# shellcheck shell=bash
serve 1883
pub() { client mosquitto_pub -h 127.0.0.1 -u alice -P secret "$@"; }
sub() { client mosquitto_sub -h 127.0.0.1 -u alice -P secret -C 1 -W 10 "$@"; }
is 'a retained message' ^ pub -r -t home/lamp -m on
is 'comes to who subscribes later' '^on' sub -t 'home/+'
# shellcheck disable=SC2016 # the topic's own dollar
is 'what the broker says of itself' 'mosquitto version' sub -t '$SYS/broker/version'
is 'MQTT 5' ^ pub -V mqttv5 -q 2 -r -t five -m 5 -D publish user-property a b
is 'with properties' 'a:b' sub -V mqttv5 -q 2 -t five -F '%P'
is 'TLS' 'on' sub -p 8883 --insecure --cafile /etc/mosquitto/tls/server.crt -t home/lamp
exits 'wrong password' 5 'not authori[sz]ed' client mosquitto_sub -h 127.0.0.1 -u alice -P wrong -t x -C 1
exits 'anonymous' 5 'not authori[sz]ed' client mosquitto_sub -h 127.0.0.1 -t x -C 1
http 101 'Sec-WebSocket-Protocol: mqtt' --max-time 2 --http1.1 -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' -H 'Sec-WebSocket-Protocol: mqtt' http://localhost:9001/
is 'to another topic' ^ pub -r -t ping -m pong
stop
restart
is 'what it wrote to disk' '^on' sub -t home/lamp
stop INT
