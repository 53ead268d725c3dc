# shellcheck shell=bash
# said LINE...: what the server answers.
said() {
	exec 3<>/dev/tcp/127.0.0.1/11211
	printf '%s\r\n' "$@" quit >&3
	timeout 10 cat <&3
}
is 'version' 'memcached 1' run -V
is 'help' 'memory-limit' run -h
serve 11211
is 'a text' 'STORED.*VALUE k 5 5.*hello' said 'set k 5 60 5' hello 'get k'
is 'a counter' 'STORED.*42' said 'set n 0 60 2' 40 'incr n 2'
is 'an unknown command' 'ERROR' said nonsense
is 'what is not there' '^END' said 'get nothing'
is 'meta commands' 'VA 5 t' said 'mg k t v'
is 'statistics' 'STAT limit_maxbytes 33554432' said stats
is 'slabs' 'STAT active_slabs' said 'stats slabs'
is 'settings' 'STAT maxconns 1024' said 'stats settings'
is 'too large' 'SERVER_ERROR object too large' said 'set b 0 0 2000000' "$(head -c 2000000 /dev/zero | tr '\0' x)"
is 'flush' 'OK.*END' said flush_all 'get k'
stop
serve 11211 -m 64 -U 0 -v -o modern -t 2
is 'other options' 'STAT limit_maxbytes 67108864' said stats
stop INT
exits 'an option that is none' 1 'illegal|invalid|unrecognized' run --nonsense
