package conform

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"

	"larder/protocol/resp"
)

// compare says what is wrong with got, "" if nothing is.
func compare(how How, tolerance int64, want, got []byte) string {
	if bytes.Equal(want, got) {
		return ""
	}
	switch how {
	case AnyOrder:
		return compareAnyOrder(want, got)
	case Approx:
		return compareApprox(tolerance, want, got)
	case Shape:
		return compareShape(want, got)
	case Outcome:
		return compareOutcome(want, got)
	}
	return "other bytes"
}

func compareAnyOrder(want, got []byte) string {
	a, b := resp.Value(want), resp.Value(got)
	if a.Kind() != b.Kind() || a.Len() != b.Len() || a.Len() == 0 {
		return "other kind or count"
	}
	if !slices.Equal(sortedElements(want), sortedElements(got)) {
		return "other elements, whatever their order"
	}
	return ""
}

func sortedElements(reply []byte) []string {
	var out []string
	it := resp.Elements(reply)
	for e, ok := it.Next(); ok; e, ok = it.Next() {
		out = append(out, string(e))
	}
	slices.Sort(out)
	return out
}

func compareApprox(tolerance int64, want, got []byte) string {
	a, okA := number(want)
	b, okB := number(got)
	if resp.Value(want).Kind() != resp.Value(got).Kind() || !okA || !okB {
		return "other bytes"
	}
	// A negative number is a word (no key, no expiry): only positive ones are measures.
	if a < 0 || b < 0 || max(a, b)-min(a, b) > tolerance {
		return fmt.Sprintf("more than %d apart", tolerance)
	}
	return ""
}

func number(reply []byte) (int64, bool) {
	v := resp.Value(reply)
	if v.Kind() == resp.KindInt {
		return v.Int()
	}
	text, ok := v.Bytes()
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	return n, err == nil
}

// compareShape wants the same tree of kinds. Errors must be equal.
func compareShape(want, got []byte) string {
	a, b := resp.Value(want), resp.Value(got)
	switch {
	case a.Kind() != b.Kind() || a.IsNull() != b.IsNull():
		return "other kind"
	case a.Kind().IsError() && !bytes.Equal(want, got):
		return "other error"
	case a.Len() != b.Len():
		return "other count"
	}
	x, y := a.Elements(), b.Elements()
	for {
		e, ok := x.Next()
		f, _ := y.Next()
		if !ok {
			return ""
		}
		if why := compareShape(e, f); why != "" {
			return why + ", inside"
		}
	}
}

func compareOutcome(want, got []byte) string {
	if resp.IsError(want) || resp.IsError(got) {
		return "one error, or two different ones"
	}
	if resp.Value(want).Kind() != resp.Value(got).Kind() && !resp.Value(want).IsNull() && !resp.Value(got).IsNull() {
		return "other kind"
	}
	return ""
}
