// Command server serves embedded pages and renders mails from templates on disk.
package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"embed"
	"errors"
	"fmt"
	"log"
	"mime"
	"net"
	"net/http"
	"os"
	"os/signal"
	"os/user"
	"path/filepath"
	"syscall"
	"text/template"
	"time"
)

//go:embed pages
var pages embed.FS

func main() {
	http.HandleFunc("GET /page/{name}", func(w http.ResponseWriter, r *http.Request) {
		data, err := pages.ReadFile("pages/" + r.PathValue("name") + ".html")
		if err != nil {
			http.Error(w, "no such page", http.StatusNotFound)
			return
		}
		w.Write(data)
	})
	handle("GET /time", func(r *http.Request) (string, error) {
		zone, err := time.LoadLocation(r.FormValue("zone"))
		if err != nil {
			return "", err
		}
		return time.Unix(0, 0).In(zone).String() + " in " + zone.String(), nil
	})
	handle("GET /mail/{name}", func(r *http.Request) (string, error) {
		t, err := template.ParseFiles(filepath.Join("mail", filepath.Base(r.PathValue("name"))+".txt"))
		if err != nil {
			return "", err
		}
		var out bytes.Buffer
		err = t.Execute(&out, r.FormValue("who"))
		return out.String(), err
	})
	handle("GET /type", func(r *http.Request) (string, error) { return mime.TypeByExtension(r.FormValue("of")), nil })
	handle("GET /user", func(r *http.Request) (string, error) {
		u, err := user.Lookup(r.FormValue("name"))
		if err != nil {
			return "", err
		}
		return u.Uid + " " + u.HomeDir, nil
	})
	handle("GET /address", func(r *http.Request) (string, error) {
		found, err := net.LookupHost(r.FormValue("host"))
		return fmt.Sprint(found), err
	})
	handle("GET /port", func(r *http.Request) (string, error) {
		port, err := net.LookupPort("tcp", r.FormValue("service"))
		return fmt.Sprint(port), err
	})
	handle("GET /anchors", func(*http.Request) (string, error) {
		pool, err := x509.SystemCertPool()
		if err != nil {
			return "", err
		}
		return fmt.Sprint(!pool.Equal(x509.NewCertPool())), nil
	})
	server := &http.Server{Addr: ":8080"}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() {
		<-ctx.Done()
		_ = server.Shutdown(context.Background())
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
	fmt.Fprintln(os.Stderr, "bye")
}

// handle answers with text.
func handle(pattern string, answer func(*http.Request) (string, error)) {
	http.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		text, err := answer(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		fmt.Fprintln(w, text)
	})
}
