# shellcheck shell=bash
cli() { client redis-cli "$@"; }
serve 6379
is 'the server is not root' '^999$' uid
is 'the health check' 'PONG' inside redis-cli ping
is 'strings' 'OK' cli set name slim
is 'Lua' 'slim' cli eval "return redis.call('get', KEYS[1])" 1 name
is 'Lua libraries' '\{"a":\[1,2\]\}' cli eval "return cjson.encode({a = {1, 2}})" 0
is 'streams' '[0-9]+-[0-9]' cli xadd log '*' a 1
is 'geography' '165' cli eval "redis.call('geoadd', 'g', 13.36, 38.11, 'a', 15.08, 37.50, 'b') return redis.call('geodist', 'g', 'a', 'b', 'km')" 0
is 'a wrong command' 'unknown command' cli nonsense
is 'SAVE' 'OK' cli save
is 'BGREWRITEAOF' 'started' cli bgrewriteaof
is 'CONFIG' 'appendonly.*yes' cli config get appendonly
stop
restart
is 'what was appended' 'slim' cli get name
stop INT
is 'another command' 'v=7' run redis-server --version
