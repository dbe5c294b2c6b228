// Package config is the configuration that all gateways of a fleet share: settings that stand in the registry, where whoever may changes them and every
// gateway follows. A Keeper is how they are changed: checked, by compare-and-set, with a history; the management API asks it, and in its Follow it also looks
// at what somebody writes straight into the registry. A Follower is a gateway's side: it hands over what is good, keeps the last good version where it is
// not, and says in the registry which version its process runs. What the settings are, and what is right, is handed over as Rules. What must hold: a version
// is the registry's own number of the entry, so that all name the same thing by it; no secret stands there; nothing on a command's way waits for any of it.
// Methods may be called from any goroutine and block until done or until their context ends.
package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Where things stand in the registry.
const (
	// Key is the settings, as a file for --config says them.
	Key = "larder/config/gateway"
	// historyPrefix is before each version's number, in 20 digits.
	historyPrefix = "larder/config/history/gateway/"
	// runningPrefix is before the name of each process that follows.
	runningPrefix = "larder/config/running/"
)

// HistoryMax is how many versions are remembered.
const HistoryMax = 50

// What callers decide on, by errors.Is, beside the errors of the registry.
var (
	// ErrInvalid: a setting that there is not, that the registry may not say, or that has a wrong value. Nothing was changed.
	ErrInvalid = errors.New("not taken")
	// ErrChanged: the settings are at another version than the caller has named. Nothing was changed.
	ErrChanged = errors.New("changed meanwhile")
	// ErrUnknown: there is no such version in the history.
	ErrUnknown = errors.New("no such version")
)

// Values are settings by their keys, each as it is printed.
type Values map[string]string

// Rules say what settings there are and which values are right.
type Rules interface {
	// Settings are those that may stand in the registry, in the order in which they are shown.
	Settings() []Setting
	// Parse reads the registry's text, which is called name in errors.
	Parse(name string, text []byte) (Values, error)
	// Format is a text that Parse reads, with no other values than those.
	Format(Values) []byte
	// Check wants each of the values to be right, and all together, and gives them as they are printed.
	Check(Values) (Values, error)
}

// Setting is what is known of one.
type Setting struct {
	Key     string `json:"key"`
	Meaning string `json:"meaning"`
	Want    string `json:"want"` // what its values are
	Default string `json:"default"`
	AtStart bool   `json:"at_start"` // a gateway takes it over when it is started, else at once
}

// Own is a setting that a process has of its own.
type Own struct {
	Value  string `json:"value"`
	Source string `json:"source"` // "--allow", "LARDER_ACCESS_ALLOW", "larder.yaml:12"
	First  bool   `json:"first"`  // it goes before the registry's
}

// Version is one that was written.
type Version struct {
	Version uint64    `json:"version"`
	At      time.Time `json:"at"`
	By      string    `json:"by"`
	Note    string    `json:"note,omitempty"`
	Refused string    `json:"refused,omitempty"` // why it is not taken; it has no values then
	Values  Values    `json:"values"`
}

// ByHand is who wrote what no Keeper has written.
const ByHand = "somebody, straight into the registry"

// Running is what a process that follows says of itself.
type Running struct {
	ID      string         `json:"id"`
	Cluster string         `json:"cluster,omitempty"` // that it serves; empty: several
	Version uint64         `json:"version"`           // 0 = nothing of the registry
	Since   time.Time      `json:"since"`
	Seen    time.Time      `json:"seen"`              // when it said so last
	Refused *Refusal       `json:"refused,omitempty"` // what stands in the registry, and is not taken
	Waiting []string       `json:"waiting,omitempty"` // settings that wait for its next start
	Own     map[string]Own `json:"own,omitempty"`
}

// Refusal is a version that is not taken.
type Refusal struct {
	Version uint64 `json:"version"` // 0: the entry is gone
	Error   string `json:"error"`
}

func historyKey(version uint64) string { return fmt.Sprintf("%s%020d", historyPrefix, version) }

// encode is for types of ours, which can be encoded.
func encode(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}
