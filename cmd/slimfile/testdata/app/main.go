// Command app is the application of the tests: a server whose one page is a
// file of its image.
package main

import (
	"log"
	"net/http"
)

func main() {
	http.HandleFunc("/page", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, "/data/page.txt") })
	log.Fatal(http.ListenAndServe(":8080", nil))
}
