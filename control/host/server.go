package host

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"larder/control/controller"
)

// The paths by which a controller asks a host, which the path names so that another one at its address does not answer for it.
//
//	GET  /v1/hosts/<id>          HostSays; with ?seen=STATE once it is another, or after a second
//	POST /v1/hosts/<id>/orders   Order; 204, or a Problem
const (
	saysPath   = "/v1/hosts/{id}"
	ordersPath = "/v1/hosts/{id}/orders"
)

// orderMax is how long an order may be, in bytes: a thousand nodes take a fifth of it.
const orderMax = 1 << 20

// Problem is what an error is told as. Code is one of Codes', for programs.
type Problem struct {
	Code  string `json:"code"`
	Error string `json:"error"`
}

// CodeKey is the code of a request without the fleet's key.
const CodeKey = "unauthorized"

// Codes are those of errors that are told by errors.Is; whatever else an error is, its code is "failed".
func Codes() map[string]error {
	return map[string]error{"another-host": ErrOther, "late": ErrLate, "invalid": ErrOrder, "no-room": ErrNoRoom}
}

var statuses = map[string]int{
	"another-host": http.StatusNotFound, "late": http.StatusConflict, "invalid": http.StatusBadRequest, "no-room": http.StatusConflict,
}

// Asked is a host in this process.
type Asked interface {
	Says(ctx context.Context, who controller.Host) (controller.HostSays, error)
	News(ctx context.Context, who controller.Host, seen uint64) (controller.HostSays, error)
	Obey(ctx context.Context, who controller.Host, o controller.Order) error
}

// NewHandler answers for a host, to whoever has the fleet's key.
func NewHandler(h Asked, key string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+saysPath, func(w http.ResponseWriter, r *http.Request) {
		who := controller.Host{ID: r.PathValue("id")}
		ask := func() (controller.HostSays, error) { return h.Says(r.Context(), who) }
		if text := r.URL.Query().Get("seen"); text != "" {
			seen, err := strconv.ParseUint(text, 10, 64)
			if err != nil {
				fail(w, fmt.Errorf("%w: seen=%q: want a state's number", ErrOrder, text))
				return
			}
			ask = func() (controller.HostSays, error) { return h.News(r.Context(), who, seen) }
		}
		says, err := ask()
		if err != nil {
			fail(w, err)
			return
		}
		answer(w, http.StatusOK, says)
	})
	mux.HandleFunc("POST "+ordersPath, func(w http.ResponseWriter, r *http.Request) {
		var o controller.Order
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, orderMax)).Decode(&o)
		if err != nil {
			err = fmt.Errorf("%w: %w", ErrOrder, err)
		} else {
			err = h.Obey(r.Context(), controller.Host{ID: r.PathValue("id")}, o)
		}
		if err != nil {
			fail(w, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusNotFound, Problem{"unknown", r.Method + " " + r.URL.Path + ": a host has no such path"})
	})
	want := []byte("Bearer " + key)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), want) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			answer(w, http.StatusUnauthorized, Problem{CodeKey, "the fleet's key is missing or another one: hosts and controllers must have the same (host.key-file)"})
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func fail(w http.ResponseWriter, err error) {
	for code, is := range Codes() {
		if errors.Is(err, is) {
			answer(w, statuses[code], Problem{code, err.Error()})
			return
		}
	}
	answer(w, http.StatusInternalServerError, Problem{"failed", err.Error()})
}

func answer(w http.ResponseWriter, status int, what any) {
	text, err := json.Marshal(what)
	if err != nil {
		panic(err) // answers are types of ours, which can be encoded
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // the one who asked has gone
}
