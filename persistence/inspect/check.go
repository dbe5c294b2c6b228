package inspect

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"larder/persistence/rdb"
)

// Check reads a file, and the packed forms of its values too. It says what it found also beside an error, which says where the file is wrong and what to do.
func Check(r io.Reader, o Options) (*Summary, error) {
	return Walk(r, o, func(*rdb.Entry) error { return nil })
}

// Walk is Check that gives each key, when it has been found right, to visit, whose error ends it.
func Walk(r io.Reader, o Options, visit func(e *rdb.Entry) error) (*Summary, error) {
	var c counting
	return walk(r, o, func(e *rdb.Entry) error {
		if _, err := c.elements(e); err != nil {
			return err
		}
		return visit(e)
	})
}

// Print writes a summary in plain lines.
func (s *Summary) Print(w io.Writer) error {
	p := &printer{w: w}
	p.line("%s, %d bytes%s%s", s.Format, s.Bytes, map[bool]string{true: " decompressed from zstd"}[s.Zstd], prefixed(", written by ", s.Writer))
	if at, err := strconv.ParseInt(s.Aux["ctime"], 10, 64); err == nil {
		p.line("written at %s", time.Unix(at, 0).UTC().Format(time.DateTime))
	}
	p.line("%s in %s%s", many(s.Keys, "key"), many(int64(s.Databases), "database"), map[bool]string{true: ", " + many(int64(s.Functions), "library") + " of functions"}[s.Functions > 0])
	if s.Checksum {
		p.line("the checksum is right")
	} else {
		p.line("without a checksum")
	}
	for _, what := range slices.Sorted(maps.Keys(s.Foreign)) {
		p.line("Larder leaves out or refuses: %s (%d)", what, s.Foreign[what])
	}
	if s.Behind > 0 {
		p.line("%s behind the end, which no server reads", many(s.Behind, "byte"))
	}
	return p.err
}

func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

// many is a number of things.
func many(n int64, what string) string {
	switch {
	case n == 1:
	case what[len(what)-1] == 'y' && what != "key":
		what = what[:len(what)-1] + "ies"
	default:
		what += "s"
	}
	return strconv.FormatInt(n, 10) + " " + what
}

// printer writes lines until one fails.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}
