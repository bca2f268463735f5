// SPDX-License-Identifier: Apache-2.0
// Go's net/http: the default mux, one processor (GOMAXPROCS=1).
//
//	nethttp PORT
package main

import (
	"encoding/json"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
)

func plaintext(answer http.ResponseWriter, _ *http.Request) {
	answer.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(answer, "Hello, World!")
}

func message(answer http.ResponseWriter, _ *http.Request) {
	answer.Header().Set("Content-Type", "application/json")
	body, _ := json.Marshal(map[string]string{"message": "Hello, World!"})
	answer.Write(body)
}

func hello(answer http.ResponseWriter, request *http.Request) {
	answer.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(answer, "Hello, "+strings.TrimPrefix(request.URL.Path, "/hello/"))
}

func main() {
	http.HandleFunc("/plaintext", plaintext)
	http.HandleFunc("/json", message)
	http.HandleFunc("/hello/", hello)
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
