// Command server tells the time in any time zone.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /time", tellTime)
	mux.HandleFunc("GET /hello/{name}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "Hello, %s!\n", r.PathValue("name"))
	})
	srv := &http.Server{Addr: ":8080", Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = srv.Close() })
	if err := srv.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
}

func tellTime(w http.ResponseWriter, r *http.Request) {
	zone, err := time.LoadLocation(r.FormValue("zone"))
	if err != nil {
		http.Error(w, "unknown time zone", http.StatusNotFound)
		return
	}
	fmt.Fprintf(w, "%s in %s\n", time.Now().In(zone).Format(time.DateTime), zone)
}
