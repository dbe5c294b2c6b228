package mirror

import (
	"bytes"
	"slices"
	"time"

	"larder/protocol/command"
	"larder/protocol/resp"
)

// same says whether two replies to one command say the same.
func same(how kind, row *command.Row, ours, theirs []byte, tolerance time.Duration) bool {
	if bytes.Equal(ours, theirs) {
		return true
	}
	if resp.IsError(ours) || resp.IsError(theirs) {
		return false
	}
	switch how {
	case kindBlind:
		return true
	case kindTimes:
		return sameTimes(row, ours, theirs, tolerance)
	case kindAnyOrder:
		return bytes.Equal(sorted(row, ours), sorted(row, theirs))
	}
	return false
}

// sameTimes: none and not there are told by negative numbers.
func sameTimes(row *command.Row, ours, theirs []byte, tolerance time.Duration) bool {
	a, ok1 := resp.ParseInt(ours)
	b, ok2 := resp.ParseInt(theirs)
	if !ok1 || !ok2 || a < 0 || b < 0 {
		return false
	}
	unit := time.Millisecond
	if row.ID == command.CmdTTL || row.ID == command.CmdExpireTime {
		unit = time.Second
		tolerance += unit
	}
	return max(a-b, b-a) <= int64(tolerance/unit)
}

// sorted is a reply with the elements of its outermost aggregate in order; of a map, and of HGETALL's list, pairs.
func sorted(row *command.Row, reply []byte) []byte {
	it := resp.Elements(reply)
	if it.Left() == 0 {
		return reply
	}
	kind := resp.Value(reply).Kind()
	pairs := kind == resp.KindMap || row.ID == command.CmdHGetAll
	var all [][]byte
	for {
		element, ok := it.Next()
		if !ok {
			break
		}
		if pairs {
			value, _ := it.Next()
			element = append(element[:len(element):len(element)], value...)
		}
		all = append(all, element)
	}
	slices.SortFunc(all, bytes.Compare)
	return append([]byte{byte(kind)}, bytes.Join(all, nil)...)
}

// sameElements compares replies to EXEC.
func (d *deed) sameElements(theirs []byte, tolerance time.Duration) bool {
	a, b := resp.Elements(d.reply), resp.Elements(theirs)
	if a.Left() != len(d.inner) || b.Left() != len(d.inner) {
		return false
	}
	for i := range d.inner {
		e := &d.inner[i]
		one, ok1 := a.Next()
		other, ok2 := b.Next()
		if !ok1 || !ok2 {
			return false
		}
		if e.known && e.row != nil && e.how > kindBlind && !same(e.how, e.row, one, other, tolerance) {
			return false
		}
	}
	return true
}

// trouble are the errors by which a cluster says that it cannot do something now.
var trouble = [][]byte{
	[]byte("-CLUSTERDOWN "), []byte("-UNKNOWN "), []byte("-LOADING "), []byte("-MASTERDOWN "), []byte("-BUSY "), []byte("-OOM "), []byte("-MISCONF "),
	[]byte("-NOREPLICAS "), []byte("-READONLY "), []byte("-TRYAGAIN "), []byte("-NOSCRIPT "), []byte("-MOVED "), []byte("-ASK "), []byte("-STALE "),
}

// inTrouble says whether the shadow could not do a command, and whether more may be lost than that.
func inTrouble(reply []byte) (is, severe bool) {
	for i, prefix := range trouble {
		if bytes.HasPrefix(reply, prefix) {
			return true, i < 4
		}
	}
	return false, false
}

// refusals are the errors by which a server says that it does not do such a thing at all.
var refusals = [][]byte{
	[]byte("-CROSSSLOT"), []byte("-ERR unknown command"), []byte("-ERR unknown subcommand"), []byte("-NOPERM"), []byte("-NOAUTH"),
	[]byte("-ERR DB index is out of range"), []byte("-EXECABORT"),
}

// notInCluster ends the errors by which a node of a cluster says that only a lone server does such a thing: MOVE, COPY to another database.
var notInCluster = []byte(" is not allowed in cluster mode\r\n")

func refuses(reply []byte) bool {
	return resp.IsError(reply) && bytes.HasSuffix(reply, notInCluster) || slices.ContainsFunc(refusals, func(prefix []byte) bool { return bytes.HasPrefix(reply, prefix) })
}
