package compare

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"larder/persistence/digest"
	"larder/router"
)

// Report is what was found.
type Report struct {
	Source    string         `json:"source"`
	Target    string         `json:"target"`
	Equal     bool           `json:"equal"`    // no difference was found
	Sample    int64          `json:"sample"`   // keys that were asked for; 0 = all
	Seen      int64          `json:"seen"`     // keys that SCAN gave, of both sides
	Read      int64          `json:"read"`     // of those, that were looked at
	Alike     int64          `json:"alike"`    // keys that are the same on both sides
	Changing  int64          `json:"changing"` // that changed each time they were read
	Counts    map[What]int64 `json:"differences"`
	Databases []*Database    `json:"databases"`
	Ranges    []*Range       `json:"ranges"`
	First     []Difference   `json:"first"` // the first of what differs
	Notes     []string       `json:"notes,omitempty"`
	Took      time.Duration  `json:"took_ns"`
}

// What says how a key differs.
type What string

// The differences.
const (
	MissingAtTarget What = "missing at the target"
	MissingAtSource What = "missing at the source"
	OtherType       What = "other type"
	OtherValue      What = "other value"
	OtherExpiry     What = "other expiry"
	StillChanging   What = "changing" // none that is judged
)

// Difference is a key that differs.
type Difference struct {
	DB       int    `json:"db"`
	Key      string `json:"key,omitempty"`
	KeyHex   string `json:"key_hex,omitempty"`  // where it is no text
	Function string `json:"function,omitempty"` // a library, in the place of a key
	What     What   `json:"what"`
	Source   string `json:"source"` // what is there, in short
	Target   string `json:"target"`
}

// Database is what was counted in one.
type Database struct {
	DB       int  `json:"db"`
	TargetDB int  `json:"target_db"`
	Source   Side `json:"source"`
	Target   Side `json:"target"`
}

// Side is what one side has in a database.
type Side struct {
	Keys     int64            `json:"keys"`     // as the server counts, those that are dead and not removed yet among them
	Expiring int64            `json:"expiring"` // of them
	Types    map[string]int64 `json:"types"`    // of the keys that were read
}

// Range is what a part of the keyspace has, of what was read: equal digests, equal keys and values.
type Range struct {
	Slots      string `json:"slots"`
	SourceKeys int64  `json:"source_keys"`
	TargetKeys int64  `json:"target_keys"`
	Source     string `json:"source_digest"`
	Target     string `json:"target_digest"`

	source, target digest.Sum
}

func newReport(o Options) *Report {
	r := &Report{Source: o.Source.String(), Target: o.Target.String(), Sample: o.Sample, Counts: map[What]int64{}}
	for i := range rangesInAll {
		r.Ranges = append(r.Ranges, &Range{Slots: router.Range{From: i * slotsInRange, To: (i+1)*slotsInRange - 1}.String()})
	}
	return r
}

// count takes a key into the sums of both sides, if it is there.
func (r *Report) count(d *doubt) {
	if d.source.there && d.target.there {
		r.Alike++
	}
	r.add(d)
}

func (r *Report) add(d *doubt) {
	at := r.Ranges[router.Slot(d.key)/slotsInRange]
	db := r.database(d.pair)
	if d.source.there {
		at.SourceKeys++
		at.source.Add(keySum(d.from, d.key, d.source.value))
		db.Source.count(d.source.value.Type)
	}
	if d.target.there {
		at.TargetKeys++
		at.target.Add(keySum(d.from, d.key, d.target.value))
		db.Target.count(d.target.value.Type)
	}
}

func keySum(db int, key []byte, v digest.Value) digest.Sum {
	text := fmt.Appendf(nil, "%d %d ", db, len(key))
	text = append(append(text, key...), v.Sum[:]...)
	return sha256.Sum256(text)
}

func (s *Side) count(kind string) {
	if s.Types == nil {
		s.Types = map[string]int64{}
	}
	s.Types[kind]++
}

func (r *Report) database(p pair) *Database {
	for _, d := range r.Databases {
		if d.DB == p.from && d.TargetDB == p.to {
			return d
		}
	}
	d := &Database{DB: p.from, TargetDB: p.to}
	r.Databases = append(r.Databases, d)
	return d
}

// differ tells of a key that is not the same on both sides.
func (r *Report) differ(d *doubt) {
	r.add(d)
	what := d.what()
	if what == StillChanging {
		r.Changing++
	} else {
		r.Counts[what]++
	}
	if len(r.First) >= shownMax {
		return
	}
	one := Difference{DB: d.from, What: what, Source: d.source.text(what), Target: d.target.text(what)}
	if one.Key = string(d.key); !printable(d.key) {
		one.Key, one.KeyHex = "", hex.EncodeToString(d.key)
	}
	r.First = append(r.First, one)
}

func (d *doubt) what() What {
	switch {
	case d.changed || d.source.torn || d.target.torn:
		return StillChanging
	case !d.target.there:
		return MissingAtTarget
	case !d.source.there:
		return MissingAtSource
	case d.source.value.Type != d.target.value.Type:
		return OtherType
	case !d.source.value.Same(d.target.value):
		return OtherValue
	}
	return OtherExpiry
}

// text says in short what a side has.
func (s *state) text(what What) string {
	switch {
	case s.torn:
		return "changed while it was read"
	case !s.there:
		return "none"
	case what == OtherExpiry && s.late == 0:
		return "never expires"
	case what == OtherExpiry:
		return "expires " + time.UnixMilli(s.late).UTC().Format("2006-01-02 15:04:05.000")
	}
	units := map[string]string{digest.String: "bytes", digest.Hash: "fields", digest.Stream: "entries"}
	unit, known := units[s.value.Type]
	if !known {
		unit = "elements"
	}
	return fmt.Sprintf("%s of %d %s, digest %x", s.value.Type, s.value.Elements, unit, s.value.Sum[:6])
}

func (r *Report) function(name string, what What) {
	r.Counts[what]++
	if len(r.First) < shownMax {
		r.First = append(r.First, Difference{Function: name, What: what})
	}
}

// Differences is how many there are.
func (r *Report) Differences() (n int64) {
	for _, count := range r.Counts {
		n += count
	}
	return n
}

func (r *Report) finish() {
	for _, at := range r.Ranges {
		at.Source, at.Target = hex.EncodeToString(at.source[:]), hex.EncodeToString(at.target[:])
	}
	r.Equal = r.Differences() == 0
}

// printable tells whether a key can be shown as it is.
func printable(key []byte) bool {
	for _, c := range string(key) {
		if c == '\uFFFD' || c < ' ' || c == 0x7f {
			return false
		}
	}
	return true
}
