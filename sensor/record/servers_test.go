package record

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/org/slimfile/sensor/launch"
	"github.com/org/slimfile/sensor/manifest"
)

// server is a program of Debian's with its way to change its user or to look
// after others: a server, a launcher, a first process of a container.
type server struct {
	name string
	// setup prepares the root; run becomes the program; both are for sh.
	setup, run string
	// ask is sent to the running program, which listens on port; stop ends it.
	// A program without ends by itself.
	port string
	ask  string
	stop unix.Signal
	exit int // -1: any, and by the signal
	// touched are paths that must have been recorded, the last things done.
	touched []string
}

func servers() []server {
	const (
		http   = `curl -fsS --max-time 5 -o /dev/null http://127.0.0.1:8080/`
		asUser = `cd /usr/share && id -u && ls >/dev/null && (read line <perl5/Debconf/Log.pm)`
		apache = `sed -i 's/80/8080/' /etc/apache2/ports.conf; echo '<?php echo "<".(40 + 2).">";' >/var/www/html/index.php; rm -f /var/www/html/index.html;`
		runs   = `. /etc/apache2/envvars; mkdir -p $APACHE_RUN_DIR $APACHE_LOCK_DIR; `
	)
	php := http[:len(http)-len(" -o /dev/null http://127.0.0.1:8080/")] + ` http://127.0.0.1:8080/ | grep '<42>'`
	deep := []string{"/usr/share/perl5/Debconf/Log.pm"}
	return []server{
		{name: "nginx", setup: `sed -i 's/80 default_server/8080 default_server/' /etc/nginx/sites-available/default`,
			run: `exec nginx -g 'daemon off;'`, port: "8080", ask: http, stop: unix.SIGQUIT, touched: []string{"/var/www/html/index.html"}},
		{name: "apache prefork with PHP", setup: apache,
			run: runs + `exec apache2 -DFOREGROUND`, port: "8080", ask: php, stop: unix.SIGTERM, touched: []string{"/var/www/html/index.php"}},
		{name: "apache event with PHP", setup: apache + `a2dismod -q php8.2 mpm_prefork; a2enmod -q mpm_event proxy_fcgi; a2enconf -q php8.2-fpm; mkdir -p /run/php`,
			run: runs + `php-fpm8.2 && exec apache2 -DFOREGROUND`, port: "8080", ask: php, stop: unix.SIGTERM, touched: []string{"/var/www/html/index.php"}},
		{name: "postgres", setup: `mkdir -p /run/postgresql; chown postgres: /run/postgresql`,
			run:  `exec gosu postgres /usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/15/main -c config_file=/etc/postgresql/15/main/postgresql.conf`,
			port: "5432", ask: `gosu postgres psql -qtc 'select count(*) from pg_class'`, stop: unix.SIGINT, touched: []string{"/usr/lib/postgresql/15/bin/postgres"}},
		{name: "mariadb", setup: `mkdir -p /run/mysqld; chown mysql: /run/mysqld`,
			run: `exec mariadbd --user=mysql`, port: "3306", ask: `mariadb -e 'select count(*) from mysql.user'`, stop: unix.SIGTERM, touched: []string{"/var/lib/mysql/ibdata1"}},
		{name: "redis by setpriv", setup: `mkdir -p /data; chown redis: /data`,
			run: `cd /data; exec setpriv --reuid=redis --regid=redis --init-groups redis-server`, port: "6379", ask: `redis-cli set a b && redis-cli save`, stop: unix.SIGTERM, touched: []string{"/data"}},
		{name: "haproxy", setup: `printf '%s\n' 'global' ' chroot /var/lib/haproxy' ' user haproxy' ' group haproxy' 'defaults' ' mode http' ' timeout client 9s' 'frontend f' ' bind :8080' ' http-request return status 200' >/tmp/haproxy.cfg`,
			run: `exec haproxy -W -db -f /tmp/haproxy.cfg`, port: "8080", ask: http, stop: unix.SIGTERM, exit: -1, touched: []string{"/var/lib/haproxy"}},

		{name: "gosu", run: `exec gosu nobody:nogroup sh -c '` + asUser + `'`, touched: deep},
		{name: "setpriv", run: `exec setpriv --reuid=33 --regid=33 --clear-groups --inh-caps=-all sh -c '` + asUser + `'`, touched: deep},
		{name: "runuser", run: `exec runuser -u nobody -- sh -c '` + asUser + `'`, touched: deep},
		{name: "su", run: `exec su -s /bin/sh nobody -c '` + asUser + `'`, touched: deep},
		{name: "start-stop-daemon", run: `exec start-stop-daemon --start --chuid nobody:nogroup --exec /bin/sh -- -c '` + asUser + `'`, touched: deep},
		{name: "s6-setuidgid", run: `exec s6-setuidgid nobody sh -c '` + asUser + `'`, touched: deep},

		{name: "tini", run: `exec tini -g -- gosu nobody sh -c '` + asUser + `; sleep 60 & wait'`, ask: `pgrep -x sleep`, stop: unix.SIGTERM, exit: 143, touched: deep},
		{name: "dumb-init", run: `exec dumb-init gosu nobody sh -c '` + asUser + `; sleep 60 & wait'`, ask: `pgrep -x sleep`, stop: unix.SIGTERM, exit: 143, touched: deep},
		{name: "s6", setup: `mkdir -p /services/web; printf '%s\n' '#!/bin/sh' 'exec s6-setuidgid redis redis-server --port 8080 --save ""' >/services/web/run; chmod +x /services/web/run`,
			run: `exec s6-svscan /services`, port: "8080", ask: `redis-cli -p 8080 ping`, stop: unix.SIGTERM, touched: []string{"/services/web/run"}},
		{name: "supervisord", setup: `printf '%s\n' '[supervisord]' 'nodaemon=true' 'user=root' '[program:web]' 'user=redis' 'startsecs=0' 'command=redis-server --port 8080 --save ""' >/tmp/supervisor.conf`,
			run: `exec supervisord -c /tmp/supervisor.conf`, port: "8080", ask: `redis-cli -p 8080 ping`, stop: unix.SIGTERM, touched: []string{"/usr/bin/redis-check-rdb"}},
	}
}

// serverRoot is what hack/servers.sh made.
func serverRoot(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.EvalSymlinks(filepath.Join(cache, "slimfile/servers/current"))
	if err != nil {
		skip(t, "the root filesystem that hack/servers.sh makes")
	}
	return root
}

// TestServers: real programs lose nothing, and the seccomp recorder alone sees
// what both recorders see.
func TestServers(t *testing.T) {
	root := serverRoot(t)
	for _, s := range servers() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			j := job{
				Mode: sandbox, Root: root, Setup: s.setup, Listens: s.port, Ask: s.ask, Stop: s.stop,
				Spec: launch.Spec{Path: "/bin/sh", Args: []string{"sh", "-ec", s.run}, Env: []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}},
			}
			alone := run(t, j)
			j.Mode = insecure
			both := run(t, j)
			for m, out := range map[mode]outcome{sandbox: alone, insecure: both} {
				if out.StartErr != "" || out.CloseErr != "" || out.Lost != 0 || s.exit >= 0 && (out.Exit != s.exit || out.Signal != 0) {
					t.Errorf("%s: start %q, close %q, lost %d, exit %d, signal %d", m, out.StartErr, out.CloseErr, out.Lost, out.Exit, out.Signal)
				}
				for _, path := range s.touched {
					if out.ops(path) == 0 {
						t.Errorf("%s: %s was not recorded", m, path)
					}
				}
				t.Logf("%s: %d events, %d entries, %v", m, out.Events, len(out.Entries), out.Warnings)
			}
			if len(both.Witness) > 0 {
				t.Errorf("only fanotify saw %q", both.Witness)
			}
			compare(t, both, alone)
		})
	}
}

// volatile are the parts of names that differ from run to run: process ids.
var volatile = regexp.MustCompile(`[0-9]+`)

// accidental are look-ups that depend on time: a server looks for the translation
// of an error message when a client comes too early.
var accidental = regexp.MustCompile(`/LC_MESSAGES/`)

// compare says which paths one run touched and the other one did not. What the
// run itself made is not part of the image, and may have a random name. What a
// path was used for may differ: which of two processes gets at it first.
func compare(t *testing.T, a, b outcome) {
	t.Helper()
	sensor, err := os.Executable() // a look at all processes finds it, below /dev in a build
	if err != nil {
		t.Fatal(err)
	}
	paths := func(o outcome) map[string]manifest.Ops {
		m := map[string]manifest.Ops{}
		for _, e := range o.Entries {
			if e.Ops&(created|deleted) != 0 || string(e.Path) == sensor || accidental.MatchString(string(e.Path)) {
				continue
			}
			m[volatile.ReplaceAllString(string(e.Path), "#")] |= e.Ops
		}
		return m
	}
	one, other := paths(a), paths(b)
	for p, ops := range one {
		if other[p] == 0 {
			t.Errorf("only with both recorders: %s (%s)", p, ops)
		}
	}
	for p, ops := range other {
		if one[p] == 0 {
			t.Errorf("only with seccomp alone: %s (%s)", p, ops)
		}
	}
}
