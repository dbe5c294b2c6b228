// Package snapshot is a cluster's data in an object store: one object a shard, an RDB file in a zstd stream, and a manifest that names them. A snapshot is
// there exactly when its manifest is, which is written last; so what an interrupted one leaves is never taken for one. Each has a folder of its own whose
// name is never used again, so that deleting one cannot hurt another.
//
//	<name>-<id>/shard-0000.rdb.zst
//	<name>-<id>/manifest.json
//
// docs/formats/snapshot.md has the manifest's fields. Callers are a node, which writes an object by its Upload and reads others by Open, and who manages
// snapshots; any goroutine may call, an Upload is one goroutine's.
package snapshot

import (
	"errors"
	"fmt"
	"time"
)

// What callers decide on, by errors.Is.
var (
	// ErrName is what gives a name that no snapshot can have.
	ErrName = errors.New("no name for a snapshot")
	// ErrManifest is what gives a manifest that is none, or of a later format.
	ErrManifest = errors.New("no manifest of a snapshot that can be read")
	// ErrUnknown is what gives the name of a snapshot that is not there.
	ErrUnknown = errors.New("no such snapshot")
	// ErrTaken is what gives the name of a snapshot that is there.
	ErrTaken = errors.New("there is a snapshot of that name")
)

const (
	// ManifestName is what the manifest is called in its folder.
	ManifestName = "manifest.json"

	nameMax  = 64
	idLength = len("20060102t150405") + 1 + idRandom
	idRandom = 6
)

// CheckName says whether a snapshot can have that name. Errors: ErrName.
func CheckName(name string) error {
	fits := name != "" && len(name) <= nameMax
	for i := 0; i < len(name) && fits; i++ {
		c := name[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		fits = letter || i > 0 && (c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.')
	}
	if !fits {
		return fmt.Errorf("%w: %.80q: it begins with a letter and has at most %d letters, digits, points, - and _", ErrName, name, nameMax)
	}
	return nil
}

// RDBVersion is that of the RDB files which nodes write.
const RDBVersion = 10

// ObjectName is what a shard's object is called in the snapshot's folder. Each attempt has a name of its own; the first is 1.
func ObjectName(shard, attempt int) string {
	if attempt == 1 {
		return fmt.Sprintf("shard-%04d.rdb.zst", shard)
	}
	return fmt.Sprintf("shard-%04d-%d.rdb.zst", shard, attempt)
}

// NewFolder is a name for a snapshot's folder that none had and none will have: random are bits by chance.
func NewFolder(name string, now time.Time, random uint64) string {
	const letters = "0123456789abcdefghjkmnpqrstvwxyz"
	id := []byte(now.UTC().Format("20060102t150405-"))
	for range idRandom {
		id = append(id, letters[random%uint64(len(letters))])
		random /= uint64(len(letters))
	}
	return name + "-" + string(id)
}

// nameOf is the name of the snapshot whose folder that is; false: it is no snapshot's.
func nameOf(folder string) (string, bool) {
	at := len(folder) - idLength - 1
	if at < 1 || folder[at] != '-' {
		return "", false
	}
	if _, err := time.Parse("20060102t150405", folder[at+1:len(folder)-idRandom-1]); err != nil {
		return "", false
	}
	return folder[:at], CheckName(folder[:at]) == nil
}
