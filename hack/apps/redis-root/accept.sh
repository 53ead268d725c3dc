# shellcheck shell=bash
cli() { client redis-cli -h 127.0.0.1 "$@"; }
serve 6379
is 'the server is not root' '^999$' uid
is 'redis-cli' 'redis_mode:standalone' inside redis-cli info server
is 'strings' 'OK' cli set name slim
is 'Lua' 'slim' cli eval "return redis.call('get', KEYS[1])" 1 name
is 'Lua libraries' '\{"a":\[1,2\]\}' cli eval "return cjson.encode({a = {1, 2}})" 0
is 'functions' 'lib' cli function load "#!lua name=lib
redis.register_function('f', function() return 1 end)"
is 'streams' '[0-9]+-[0-9]' cli xadd log '*' a 1
is 'geography' '165' cli eval "redis.call('geoadd', 'g', 13.36, 38.11, 'a', 15.08, 37.50, 'b') return redis.call('geodist', 'g', 'a', 'b', 'km')" 0
is 'a wrong command' 'unknown command' cli nonsense
is 'SAVE' 'OK' cli save
is 'BGREWRITEAOF' 'started' cli bgrewriteaof
is 'CONFIG' 'maxmemory' cli config get maxmemory
is 'DEBUG' 'DEBUG command not allowed' cli debug sleep 0
stop
restart
is 'what was saved' 'slim' cli get name
stop INT
serve 6379 --port 6379 --appendonly yes
is 'options alone' 'yes' cli config get appendonly
stop
serve -u redis 6379
is 'as its user from the start' 'PONG' cli ping
stop
is 'another command' 'v=7' run redis-server --version
is 'another program' 'redis-cli 7' run redis-cli --version
