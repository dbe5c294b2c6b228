package journal

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"larder/protocol/resp"
)

// Kind is what a file of the journal is for: the letter that the manifest has for it.
type Kind byte

const (
	Base    Kind = 'b' // the data up to a moment
	Incr    Kind = 'i' // what has changed since
	History Kind = 'h' // was one of those, and is to be deleted
)

// File is a line of the manifest.
type File struct {
	Name string // in the journal's folder
	Seq  int64  // counts the files of its kind, from 1
	Kind Kind
}

// Manifest says of which files the journal is made. Base, then the Incr in their order, are the data; what else lies in the folder is not.
type Manifest struct {
	Base    File // Name is empty if there is none
	Incr    []File
	History []File
}

// Empty says that it names no file.
func (m *Manifest) Empty() bool { return m.Base.Name == "" && len(m.Incr)+len(m.History) == 0 }

// Data are the files to load, in that order.
func (m *Manifest) Data() []File {
	all := make([]File, 0, 1+len(m.Incr))
	if m.Base.Name != "" {
		all = append(all, m.Base)
	}
	return append(all, m.Incr...)
}

// clone is a manifest that can be changed without m.
func (m *Manifest) clone() Manifest {
	return Manifest{Base: m.Base, Incr: append([]File(nil), m.Incr...), History: append([]File(nil), m.History...)}
}

// lastIncr is the highest number of an incremental file. Files of the past count too, so that a name is not used twice.
func (m *Manifest) lastIncr() (seq int64) {
	for _, f := range m.Incr {
		seq = max(seq, f.Seq)
	}
	for _, f := range m.History {
		if strings.HasSuffix(f.Name, incrSuffix) {
			seq = max(seq, f.Seq)
		}
	}
	return seq
}

// Text is the manifest as it is written: base, history, increments, as Redis 7 has them.
func (m *Manifest) Text() []byte {
	var b []byte
	if m.Base.Name != "" {
		b = appendLine(b, m.Base)
	}
	for _, f := range m.History {
		b = appendLine(b, f)
	}
	for _, f := range m.Incr {
		b = appendLine(b, f)
	}
	return b
}

func appendLine(b []byte, f File) []byte {
	name := []byte(f.Name)
	if needsQuotes(f.Name) {
		name = resp.AppendQuoted(nil, name)
	}
	return fmt.Appendf(b, "file %s seq %d type %c\n", name, f.Seq, f.Kind)
}

// needsQuotes tells whether a name cannot stand as it is (Redis 7.0 sds.c, sdsneedsrepr).
func needsQuotes(name string) bool {
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c >= 0x7f || c == '\\' || c == '"' || c == '\'' {
			return true
		}
	}
	return name == ""
}

var errQuotes = errors.New("its quotes are not closed, or something stands right behind them")

// lineMax is the longest line that Redis reads, its end included, bytes.
const lineMax = 1024

// ParseManifest reads a manifest. The error names the line and what is wrong with it.
func ParseManifest(text []byte) (Manifest, error) {
	var m Manifest
	if len(text) == 0 {
		return m, fmt.Errorf("it is empty")
	}
	for line := 1; len(text) > 0; line++ {
		end := bytes.IndexByte(text, '\n')
		switch {
		case end < 0:
			return m, fmt.Errorf("line %d has no end: the file was cut off", line)
		case end >= lineMax:
			return m, fmt.Errorf("line %d is longer than %d bytes", line, lineMax-1)
		}
		if err := m.line(text[:end]); err != nil {
			return m, fmt.Errorf("line %d: %w", line, err)
		}
		text = text[end+1:]
	}
	return m, nil
}

func (m *Manifest) line(text []byte) error {
	if len(text) > 0 && text[0] == '#' {
		return nil
	}
	f, err := parseLine(string(text))
	if err != nil {
		return err
	}
	switch f.Kind {
	case Base:
		if m.Base.Name != "" {
			return fmt.Errorf("a second base file, %q", f.Name)
		}
		m.Base = f
	case Incr:
		if n := len(m.Incr); n > 0 && f.Seq <= m.Incr[n-1].Seq {
			return fmt.Errorf("%q is number %d: must come after number %d", f.Name, f.Seq, m.Incr[n-1].Seq)
		}
		m.Incr = append(m.Incr, f)
	default:
		m.History = append(m.History, f)
	}
	return nil
}

// parseLine reads words and values in turn. Words that it does not know are for later versions, which have put offsets there.
func parseLine(line string) (File, error) {
	words, ok := resp.Words(line)
	if !ok {
		return File{}, errQuotes
	}
	if len(words) < 6 || len(words)%2 != 0 {
		return File{}, fmt.Errorf("%q must be: file NAME seq NUMBER type b|i|h", line)
	}
	var f File
	for i := 0; i < len(words); i += 2 {
		value := words[i+1]
		switch strings.ToLower(words[i]) {
		case "file":
			if value == "" || value == "." || value == ".." || value != filepath.Base(value) || strings.ContainsAny(value, "\x00/\\") {
				return File{}, fmt.Errorf("file %q must be the name of a file in the journal's own folder", value)
			}
			f.Name = value
		case "seq":
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil || n < 1 {
				return File{}, fmt.Errorf("seq %q must be a number from 1 on", value)
			}
			f.Seq = n
		case "type":
			if value != "b" && value != "i" && value != "h" {
				return File{}, fmt.Errorf("type %q must be b, i or h", value)
			}
			f.Kind = Kind(value[0])
		}
	}
	if f.Name == "" || f.Seq == 0 || f.Kind == 0 {
		return File{}, fmt.Errorf("%q lacks file, seq or type", line)
	}
	return f, nil
}
