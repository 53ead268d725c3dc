package trace

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// fixtureEnv makes the test binary an app. Its arguments say what the app does,
// in turn: verbs with their operand after a colon.
const fixtureEnv = "SLIMFILE_TEST_FIXTURE"

// fixtureMain carries out the verbs. After the last the app ends with 0, or
// serves on if it listens.
func fixtureMain(verbs []string) {
	log.SetFlags(0)
	log.SetOutput(os.Stderr)
	serving := false
	for _, verb := range verbs {
		name, operand, _ := strings.Cut(verb, ":")
		do, ok := fixtureVerbs()[name]
		if !ok {
			log.Fatalf("no verb %q", verb)
		}
		if err := do(operand); err != nil {
			log.Fatalf("%s: %v", verb, err)
		}
		serving = serving || slices.Contains([]string{"http", "https", "echo"}, name)
	}
	if serving {
		select {}
	}
	os.Exit(0)
}

func fixtureVerbs() map[string]func(string) error {
	return map[string]func(string) error{
		"say":    func(text string) error { _, err := fmt.Println(text); return err },
		"wait":   wait,
		"exit":   exit,
		"hang":   func(string) error { select {} },
		"die":    func(string) error { return unix.Kill(os.Getpid(), unix.SIGKILL) },
		"http":   func(address string) error { return serveHTTP(address, nil) },
		"https":  serveHTTPS,
		"echo":   serveEcho,
		"handle": handleSignal,
		"abort":  abortOnSignal,
		"ignore": func(string) error { signal.Ignore(unix.SIGTERM); return nil },
		"fork":   forkFixture,
		"log":    writeLog,
		"line":   writeLine,
		"cat":    func(string) error { _, err := io.Copy(os.Stdout, os.Stdin); return err },
		"open":   func(name string) error { f, err := os.Open(name); return closeIf(f, err) },
		"try":    func(name string) error { _, _ = os.ReadFile(name); return nil },
		"make":   func(name string) error { return os.WriteFile(name, nil, 0o600) },
		"list":   func(name string) error { _, err := os.ReadDir(name); return err },
		"reopen": func(string) error { f, err := os.OpenFile("/dev/stdout", os.O_WRONLY, 0); return closeIf(f, err) },
		"self":   saySelf,
		"spoil":  spoil,
		"spy":    spy,
		"attack": attack,
	}
}

func closeIf(f *os.File, err error) error {
	if err != nil {
		return err
	}
	return f.Close()
}

func exit(code string) error {
	n, err := strconv.Atoi(code)
	if err == nil {
		os.Exit(n)
	}
	return err
}

// wait is the start-up time of a slow app.
func wait(text string) error {
	d, err := time.ParseDuration(text)
	<-time.After(d)
	return err
}

func serveHTTP(address string, config *tls.Config) error {
	mux := http.NewServeMux()
	mux.HandleFunc("/hello", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "Hello, world") })
	mux.HandleFunc("/crash", func(http.ResponseWriter, *http.Request) { os.Exit(3) })
	mux.HandleFunc("/hang", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	if config != nil {
		listener = tls.NewListener(listener, config)
	}
	server := http.Server{Handler: mux, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { log.Fatal(server.Serve(listener)) }()
	return nil
}

func serveHTTPS(address string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	return serveHTTP(address, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
}

func serveEcho(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				log.Fatal(err)
			}
			go func() { _, _ = io.Copy(conn, conn) }()
		}
	}()
	return nil
}

// handleSignal exits 0 upon SIGTERM, as a well-behaved app does.
func handleSignal(string) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGTERM)
	go func() {
		<-signals
		fmt.Println("stopping")
		os.Exit(0)
	}()
	return nil
}

// abortOnSignal ends badly when it is stopped.
func abortOnSignal(string) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGTERM)
	go func() {
		<-signals
		_ = unix.Kill(os.Getpid(), unix.SIGKILL) // it cannot fail
	}()
	return nil
}

// forkFixture starts another fixture, with "+" between its verbs, that
// survives this one.
func forkFixture(verbs string) error {
	cmd := exec.Command("/proc/self/exe", strings.Split(verbs, "+")...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd.Start()
}

// writeLog writes so many MiB of lines.
func writeLog(text string) error {
	n, err := strconv.Atoi(text)
	if err != nil {
		return err
	}
	chunk := bytes.Repeat([]byte(strings.Repeat("l", 99)+"\n"), 1<<20/100)
	for range n {
		if _, err := os.Stdout.Write(chunk); err != nil {
			return err
		}
	}
	return nil
}

// writeLine writes so many MiB without a line end.
func writeLine(text string) error {
	n, err := strconv.Atoi(text)
	if err != nil {
		return err
	}
	chunk := bytes.Repeat([]byte("e"), 1<<20)
	for range n {
		if _, err := os.Stderr.Write(chunk); err != nil {
			return err
		}
	}
	return nil
}

// saySelf says what the app was given.
func saySelf(string) error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	groups, err := os.Getgroups()
	if err != nil {
		return err
	}
	slices.Sort(groups)
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(status)) {
		if mask, ok := strings.CutPrefix(line, "SigIgn:\t"); ok {
			fmt.Print("ignored ", mask)
		}
	}
	fds, err := filepath.Glob("/proc/self/fd/[0-9]")
	fmt.Printf("args=%q env=%q dir=%s uid=%d gid=%d groups=%d\n", os.Args[1:], os.Environ(), dir, os.Getuid(), os.Getgid(), groups)
	for _, fd := range fds[:min(3, len(fds))] {
		target, err := os.Readlink(fd)
		if err != nil {
			return err
		}
		kind, _, _ := strings.Cut(target, ":")
		fmt.Printf("fd %s %s\n", filepath.Base(fd), kind)
	}
	return err
}

// spoil does its worst to the output folder: fills it, and moves it away to put
// another in its place.
func spoil(dir string) error {
	if err := os.WriteFile(filepath.Join(dir, "failure.json"), []byte("lies"), 0o600); err != nil {
		return err
	}
	if err := os.Symlink("/etc", filepath.Join(dir, "trace")); err != nil {
		return err
	}
	if err := os.Rename(dir, dir+".moved"); err != nil {
		return err
	}
	return os.Symlink("/etc", dir)
}

// spy tries to get at the sensor.
func spy(string) error {
	for name, try := range map[string]func(string) error{
		"/proc/1/fd/1":    func(name string) error { _, err := os.OpenFile(name, os.O_WRONLY, 0); return err },
		"/proc/1/exe":     func(name string) error { _, err := os.Readlink(name); return err },
		"/proc/1/mem":     func(name string) error { _, err := os.Open(name); return err },
		"/proc/1/environ": func(name string) error { _, err := os.ReadFile(name); return err },
	} {
		if err := try(name); !errors.Is(err, fs.ErrPermission) {
			return fmt.Errorf("%s is open to the app: %w", name, err)
		}
	}
	return nil
}
