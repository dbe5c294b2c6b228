package embedded

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"larder/backends/registry"
)

const (
	format   = 1               // of the file; a file with another number is refused
	fileName = "registry.json" // in the folder
	nextName = "registry.next" // being written; means nothing until it is renamed
)

// kept is the file: readable, and small (a topology and a few settings).
type kept struct {
	Format  int         `json:"format"`
	Index   uint64      `json:"index"`
	Entries []keptEntry `json:"entries"`
}

// keptEntry has the value as text where it is text, so that people can read the file.
type keptEntry struct {
	Key       string `json:"key"`
	Version   uint64 `json:"version"`
	Text      string `json:"text,omitempty"`
	Bytes     []byte `json:"bytes,omitempty"`     // base64
	Ephemeral bool   `json:"ephemeral,omitempty"` // it ends with a session, so with the process
}

func keepEntry(e registry.Entry, ephemeral bool) keptEntry {
	k := keptEntry{Key: e.Key, Version: e.Version, Ephemeral: ephemeral}
	if utf8.Valid(e.Value) {
		k.Text = string(e.Value)
	} else {
		k.Bytes = e.Value
	}
	return k
}

func (k keptEntry) value() []byte {
	if k.Bytes != nil {
		return k.Bytes
	}
	return []byte(k.Text)
}

// files are the calls that can fail, each by its own name so that a test can fail exactly one.
type files interface {
	read(path string) ([]byte, error)
	write(path string, content []byte) error // and sync
	rename(from, to string) error
	syncFolder(folder string) error
}

type disk struct {
	folder string
	files  files
}

// load reads the file; none is an empty registry. What a crash left half written beside it is not looked at.
func (d *disk) load() (kept, error) {
	path := filepath.Join(d.folder, fileName)
	content, err := d.files.read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return kept{Format: format}, nil
	}
	if err != nil {
		return kept{}, fmt.Errorf("read: %w", err)
	}
	k, err := parse(content)
	if err != nil {
		return kept{}, fmt.Errorf("%s is damaged: %w; put back a good copy, or remove it to begin with an empty registry", path, err)
	}
	return k, nil
}

func parse(content []byte) (kept, error) {
	var k kept
	r := json.NewDecoder(bytes.NewReader(content))
	r.DisallowUnknownFields()
	if err := r.Decode(&k); err != nil {
		return kept{}, err
	}
	if k.Format != format {
		return kept{}, fmt.Errorf("its format is %d, this version reads %d", k.Format, format)
	}
	if strings.TrimSpace(string(content[r.InputOffset():])) != "" {
		return kept{}, errors.New("something stands behind its end")
	}
	seen := map[string]bool{}
	for _, e := range k.Entries {
		if err := registry.CheckKey(e.Key); err != nil {
			return kept{}, err
		}
		if seen[e.Key] || e.Version == 0 || e.Version > k.Index {
			return kept{}, fmt.Errorf("entry %s: given twice, or its version %d is not from 1 to %d", e.Key, e.Version, k.Index)
		}
		seen[e.Key] = true
	}
	return k, nil
}

// save replaces the file. replaced says whether the new one is in place, which it may be though an error came: then it
// is not sure to outlive a power cut.
func (d *disk) save(k kept) (replaced bool, err error) {
	content, err := json.MarshalIndent(k, "", "  ")
	if err != nil {
		return false, fmt.Errorf("encode registry: %w", err)
	}
	next := filepath.Join(d.folder, nextName)
	if err := d.files.write(next, append(content, '\n')); err != nil {
		return false, fmt.Errorf("write registry: %w", err)
	}
	if err := d.files.rename(next, filepath.Join(d.folder, fileName)); err != nil {
		return false, fmt.Errorf("replace registry: %w", err)
	}
	if err := d.files.syncFolder(d.folder); err != nil {
		return true, fmt.Errorf("sync registry's folder: %w", err)
	}
	return true, nil
}

// system is the real disk.
type system struct{}

func (system) read(path string) ([]byte, error) { return os.ReadFile(path) }

func (system) write(path string, content []byte) error {
	const ownerOnly = 0o600
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, ownerOnly)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

func (system) rename(from, to string) error { return os.Rename(from, to) }

func (system) syncFolder(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	err = f.Sync()
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}
