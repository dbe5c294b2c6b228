package snapshot

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"time"

	"larder/persistence"
)

// Format is the manifest's, as it is written here. Readers refuse later ones.
const Format = 1

// manifestMax is how long a manifest may be: it has a few hundred bytes a shard and the cluster's parameters and users.
const manifestMax = 16 << 20

// Manifest says what a snapshot is made of.
type Manifest struct {
	Format     int               `json:"format"`
	Name       string            `json:"name"`
	Cluster    string            `json:"cluster"`
	Automatic  bool              `json:"automatic"` // taken by schedule: pruned by it, too
	Began      time.Time         `json:"began"`
	Ended      time.Time         `json:"ended"`
	Larder     string            `json:"larder"` // the version that wrote it
	Databases  int               `json:"databases"`
	Level      int               `json:"zstd_level"`
	Encrypted  bool              `json:"encrypted"` // objects are age files around their zstd streams
	Shards     []Shard           `json:"shards"`
	Parameters map[string]string `json:"parameters,omitempty"` // of the nodes, as CONFIG GET tells them
	Users      []string          `json:"users,omitempty"`      // as ACL LIST tells them
}

// Shard is one of its objects: what a node had at one moment.
type Shard struct {
	Object     string    `json:"object"` // in the manifest's folder
	Slots      string    `json:"slots"`  // 0-5460,10923-16383
	Node       string    `json:"node"`
	Replica    bool      `json:"replica"` // the node was one
	At         time.Time `json:"at"`      // the moment
	Keys       int64     `json:"keys"`
	Expiring   int64     `json:"expiring"`
	RDBVersion int       `json:"rdb_version"`
	ReplID     string    `json:"replication_id,omitempty"`
	ReplOffset int64     `json:"replication_offset"`
	RawBytes   int64     `json:"raw_bytes"` // of the RDB file
	Bytes      int64     `json:"bytes"`     // of the zstd stream
	SHA256     string    `json:"sha256"`    // of the zstd stream, in hexadecimal digits
}

// Totals are what a snapshot's shards come to together.
func (m *Manifest) Totals() (keys, raw, compressed int64) {
	for i := range m.Shards {
		keys, raw, compressed = keys+m.Shards[i].Keys, raw+m.Shards[i].RawBytes, compressed+m.Shards[i].Bytes
	}
	return keys, raw, compressed
}

// Marshal writes it for people too.
func (m *Manifest) Marshal() ([]byte, error) {
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("manifest of snapshot %s: %w", m.Name, err)
	}
	return append(b, '\n'), nil
}

// ReadManifest reads one. Errors: ErrManifest.
func ReadManifest(in io.Reader) (*Manifest, error) {
	b, err := io.ReadAll(io.LimitReader(in, manifestMax+1))
	if err != nil {
		return nil, fmt.Errorf("read a manifest: %w", err)
	}
	if len(b) > manifestMax {
		return nil, fmt.Errorf("%w: it is longer than %d bytes", ErrManifest, manifestMax)
	}
	var m Manifest
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(&m); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrManifest, err)
	}
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrManifest, err)
	}
	return &m, nil
}

// check refuses what cannot be a snapshot. A name of an object with a way in it could lead out of the folder.
func (m *Manifest) check() error {
	switch {
	case m.Format > Format:
		return fmt.Errorf("it has format %d, and this Larder reads formats up to %d: use the one that wrote it (%s)", m.Format, Format, m.Larder)
	case m.Format < 1:
		return errors.New("it has no format")
	case CheckName(m.Name) != nil:
		return CheckName(m.Name)
	case len(m.Shards) == 0:
		return errors.New("it has no shards")
	}
	seen := map[string]bool{}
	for i := range m.Shards {
		s := &m.Shards[i]
		switch {
		case persistence.CheckName(s.Object) != nil || s.Object != path.Base(s.Object) || s.Object == ManifestName:
			return fmt.Errorf("shard %d: %.80q is no object's name", i, s.Object)
		case seen[s.Object]:
			return fmt.Errorf("shard %d: object %s is another shard's", i, s.Object)
		case s.Bytes < 0 || s.RawBytes < 0 || s.Keys < 0:
			return fmt.Errorf("shard %d: a size below zero", i)
		}
		seen[s.Object] = true
	}
	return nil
}
