package metrics

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// codesMax is how many error codes are counted apart, as in Redis 7.2.
const codesMax = 128

// Errors are counts of error replies by their code, the first word. The zero one has none.
type Errors struct{ byCode map[string]uint64 }

// Add counts a reply that is an error, with its minus.
func (e *Errors) Add(reply []byte) {
	code := reply[1:]
	if at := bytes.IndexAny(code, " \r"); at >= 0 {
		code = code[:at]
	}
	if n, known := e.byCode[string(code)]; known {
		e.byCode[string(code)] = n + 1
	} else if len(e.byCode) < codesMax {
		if e.byCode == nil {
			e.byCode = map[string]uint64{}
		}
		e.byCode[string(code)] = 1
	}
}

// Clone is a copy that shares nothing.
func (e *Errors) Clone() Errors { return Errors{maps.Clone(e.byCode)} }

// Join adds o's counts.
func (e *Errors) Join(o *Errors) {
	if e.byCode == nil {
		e.byCode = map[string]uint64{}
	}
	for code, n := range o.byCode {
		e.byCode[code] += n
	}
}

// AppendInfo writes INFO's section of the errors, without those of before.
func (e *Errors) AppendInfo(b *strings.Builder, before *Errors) {
	for _, code := range slices.Sorted(maps.Keys(e.byCode)) {
		if n := e.byCode[code] - before.byCode[code]; n > 0 {
			fmt.Fprintf(b, "errorstat_%s:count=%d\r\n", code, n)
		}
	}
}
