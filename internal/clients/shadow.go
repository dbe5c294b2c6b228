package clients

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"time"

	"larder/cmd/app"
	"larder/internal/peers"
)

// ShadowState is what a shadow tells.
type ShadowState = app.ShadowState

// Shadow is a running larder shadow.
type Shadow struct {
	*Process
	path, dir string
}

// Shadow starts one that serves from a server, or what an address with a scheme names, and tries another.
func (b Binary) Shadow(t testing.TB, from, to string, args ...string) *Shadow {
	t.Helper()
	addr, dir, metrics := freeAddr(t), t.TempDir(), freeAddr(t)
	if !strings.Contains(from, "://") {
		from = "redis://" + from
	}
	args = append([]string{"shadow", "--listen", addr, "--from", from, "--to", "redis://" + to, "--dir", dir, "--metrics", metrics}, args...)
	p := &Process{Addr: addr, Metrics: metrics, name: b.path, args: args, api: true}
	return &Shadow{Process: p.launch(t), path: b.path, dir: dir}
}

// Say runs larder shadow with words, and gives what it prints.
func (s *Shadow) Say(words ...string) (string, error) {
	out, err := exec.Command(s.path, append([]string{"shadow", words[0], "--dir", s.dir}, words[1:]...)...).Output()
	return string(out), err
}

// Report is what the shadow tells.
func (s *Shadow) Report(t testing.TB) ShadowState {
	t.Helper()
	out, err := s.Say("report", "--json") // exit code 1: there are differences
	var state ShadowState
	if wrong := json.Unmarshal([]byte(out), &state); wrong != nil || state.Report == nil {
		t.Fatalf("larder shadow report: %v, %v: %s", err, wrong, out)
	}
	return state
}

// Await waits until the report is as it should be.
func (s *Shadow) Await(t testing.TB, what string, ok func(ShadowState) bool) ShadowState {
	t.Helper()
	deadline := time.Now().Add(peers.Patience)
	for {
		state := s.Report(t)
		if ok(state) {
			return state
		}
		if time.Now().After(deadline) {
			text, _ := s.Say("report")
			t.Fatalf("%s: not within %v:\n%s", what, peers.Patience, text)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
