// Package errands has the words in which a controller asks a node for work that takes long, and the node tells of it (docs/formats/upstream.md, "Errands"): what
// stands in LARDER ERRAND, and what LARDER ASK answers, as JSON. Both sides have these types, so that they mean the same.
package errands

import (
	"encoding/json"
	"time"
)

// The kinds.
const (
	KindSnapshot = "SNAPSHOT" // a Snapshot, which comes to a Taken
	KindSurvey   = "SURVEY"   // a Survey, which comes to a Surveyed
	KindDiscard  = "DISCARD"  // a Selection, which comes to a Discarded
	KindIntake   = "INTAKE"   // an Intake, and an RDB file that is given; it comes to a TakenIn
)

const (
	// PieceMax is how much is given at once, bytes.
	PieceMax = 64 << 10
	// AheadMax is how much may be given that the node has not taken yet, bytes. More ends the errand.
	AheadMax = 2 << 20
	// Patience is how long a node does something for nobody: an errand that was not asked about for so long is given up, as one is whose connection ends.
	Patience = 30 * time.Second
)

// Selection is router.Selection.
type Selection struct {
	DB     int    `json:"db"` // -1: all
	Prefix []byte `json:"prefix,omitempty"`
	Slots  string `json:"slots,omitempty"` // 0-5460,10923-16383; empty: all
}

// Snapshot asks for an object in a store with all that the node has at one moment. It has secrets, and is shown to nobody.
type Snapshot struct {
	Store       json.RawMessage `json:"store"` // persistence.Settings, sealed
	Begun       string          `json:"begun"` // an object that must be there, or the node does not see the store that was meant
	Folder      string          `json:"folder"`
	Object      string          `json:"object"`
	Level       int             `json:"level"`
	BytesPerSec int64           `json:"bytes_per_sec"`
	Linked      bool            `json:"linked"` // only by a node that has all that its primary has
}

// Taken is the object, and what the node had at that moment.
type Taken struct {
	Node       string `json:"node"`
	Replica    bool   `json:"replica"`
	AtMS       int64  `json:"at_ms"` // by the node's clock
	Keys       int64  `json:"keys"`
	Expiring   int64  `json:"expiring"`
	Databases  int    `json:"databases"`
	ReplID     string `json:"repl_id"`
	ReplOffset int64  `json:"repl_offset"`
	RawBytes   int64  `json:"raw_bytes"`
	Bytes      int64  `json:"bytes"`
	SHA256     string `json:"sha256"`
}

// Survey asks what the node has of selected keys, and whether it can take others in, and libraries.
type Survey struct {
	Of        Selection `json:"of"`
	Libraries [][]byte  `json:"libraries,omitempty"`
}

// Surveyed is the answer.
type Surveyed struct {
	Keys      int64 `json:"keys"`
	Selected  int64 `json:"selected"`
	Bytes     int64 `json:"bytes"`
	Used      int64 `json:"used"`
	MaxMemory int64 `json:"maxmemory"`
	Databases int   `json:"databases"`
}

// Discarded is how many keys were removed.
type Discarded struct {
	Keys int64 `json:"keys"`
}

// Intake asks for an RDB file to be taken in.
type Intake struct {
	Functions bool `json:"functions"`
}

// TakenIn is how many keys were, and how many were left out because their time was over.
type TakenIn struct {
	Taken   int64 `json:"taken"`
	Expired int64 `json:"expired"`
}

// State is how an errand is.
type State struct {
	Over   bool            `json:"over"`
	Done   int64           `json:"done"`          // keys
	Total  int64           `json:"total"`         // of them
	Raw    int64           `json:"raw,omitempty"` // bytes of the RDB file that a snapshot has written
	Bytes  int64           `json:"bytes,omitempty"`
	Used   int64           `json:"used,omitempty"` // bytes that were given and taken
	Result json.RawMessage `json:"result,omitempty"`
	Code   string          `json:"code,omitempty"` // why it has failed, to programs
	Error  string          `json:"error,omitempty"`
}

// The codes of what only nodes say; all others are persistence.Code's.
const (
	CodeBusy    = "busy"     // the node writes as many copies of its data as it can at once
	CodeTooSlow = "too-slow" // writes were faster than the store
	CodeUnfit   = "unfit"    // the node has not what it should have: ask another
	CodeFailed  = "failed"
)
