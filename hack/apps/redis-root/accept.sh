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
is 'a check of what was saved' 'RDB looks OK' inside sh -c 'redis-check-rdb dump.rdb || redis-check-rdb /data/dump.rdb'
is 'BGREWRITEAOF' 'started' cli bgrewriteaof
is 'CONFIG' 'maxmemory' cli config get maxmemory
is 'users' 'OK' cli acl setuser app on '>secret' '~*' '+@all'
is 'a user' 'PONG' cli --user app --pass secret ping
is 'hints' 'Sam, I have observed|no worthy|Hi Sam' cli memory doctor
is 'a backup over the net' 'Transfer finished|sync' inside redis-cli --rdb /tmp/copy.rdb
is 'large keys' 'Sampled' inside redis-cli --bigkeys
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
exits 'a sentinel' 1 'Sentinel needs config file' run redis-server --sentinel
is 'another program' 'redis-cli 7' run redis-cli --version
