package app

import (
	"context"
	crand "crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"larder/configs"
	"larder/control/api/client"
	"larder/process/files"
	"larder/proxy/mirror"
)

// ShadowFile is where, in its folder, a running shadow leaves its address and key: a client.Address.
const ShadowFile = "shadow.json"

// ShadowState is what a shadow tells of itself.
type ShadowState struct {
	Endpoint string         `json:"endpoint"`
	From     string         `json:"from"`
	To       string         `json:"to"`
	Switched string         `json:"switched,omitempty"` // where its clients were moved to
	Report   *mirror.Report `json:"report,omitempty"`   // nil: nothing is mirrored
}

// startAPI serves what larder shadow asks.
func (s *shadow) startAPI() error {
	if s.config.API.Listen == configs.Off {
		return nil
	}
	listener, err := net.Listen("tcp", s.config.API.Listen)
	if err != nil {
		return fmt.Errorf("shadow's API: %w (api.listen)", err)
	}
	var key [32]byte
	_, _ = crand.Read(key[:]) // it never fails
	address := client.Address{URL: "http://" + listener.Addr().String(), Key: hex.EncodeToString(key[:])}
	path := filepath.Join(s.data.path, ShadowFile)
	text, err := json.Marshal(address)
	if err == nil {
		err = files.Replace(path, string(text))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("shadow's API: %w", err), listener.Close())
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/shadow", func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, s.state()) })
	for what, do := range map[string]func(context.Context) error{
		"halt":          s.halt,
		"release":       func(context.Context) error { s.release(); return nil },
		"switch":        func(ctx context.Context) error { return s.move(ctx, false) },
		"switch-anyway": func(ctx context.Context) error { return s.move(ctx, true) },
		"stop":          func(context.Context) error { s.stop(); return nil },
		"start":         func(context.Context) error { return s.begin(false) },
		"start-filled":  func(context.Context) error { return s.begin(true) },
	} {
		mux.HandleFunc("POST /v1/shadow/"+what, s.act(do))
	}
	m := &monitor{listener: listener, server: &http.Server{Handler: guarded(address.Key, mux), ReadHeaderTimeout: headerWithin}}
	serving := make(chan struct{})
	close(serving)
	return s.stack.start("shadow's API", func(ctx context.Context) error {
		return errors.Join(m.run(ctx), os.Remove(path))
	}, serving)
}

// guarded lets in only who says the key.
func guarded(key string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		said, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if subtle.ConstantTimeCompare([]byte(said), []byte(key)) != 1 {
			http.Error(w, "the key is not the one in "+ShadowFile, http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func answerJSON(w http.ResponseWriter, state ShadowState) {
	text, err := json.Marshal(state)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(text) // who asked may be gone
}

// act does one thing at a time, and answers with the state after it.
func (s *shadow) act(do func(context.Context) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		err := do(r.Context())
		s.mu.Unlock()
		if err != nil {
			http.Error(w, err.Error(), http.StatusConflict)
			return
		}
		answerJSON(w, s.state())
	}
}

func (s *shadow) state() ShadowState {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := ShadowState{Endpoint: s.gateway.Addr(), From: s.from.String(), To: s.to.String(), Switched: s.switched}
	if s.mirror != nil {
		report := s.mirror.Report()
		state.Report = &report
	}
	return state
}

const sayEvery = 10 * time.Second

// lines says now and then how it goes.
func (s *shadow) lines(ctx context.Context) error {
	every := time.NewTicker(sayEvery)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-every.C:
			r := s.mirror.Report()
			if !r.Stopped {
				_, _ = fmt.Fprintf(s.env.Out, "%s %s\n", now.Format(time.TimeOnly), r.Line()) // perhaps nobody reads them
			}
		}
	}
}
