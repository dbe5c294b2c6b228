package proxy

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"

	"larder/protocol/resp"
)

// waiting is a BLPOP that found nothing.
type waiting struct {
	key, id string
	came    int
}

// runLent is what a fake node does of what needs a lane of its own.
func (fc *fakeConn) runLent(name string, args [][]byte) bool {
	n, w := fc.n, fc.n.w
	switch name {
	case "WATCH", "RPUSH", "BLPOP":
	case "MONITOR":
		fc.monitors = true
		fc.out = append(fc.out, "+OK\r\n"...)
		return true
	case "UNWATCH":
		fc.watched = nil
		fc.out = append(fc.out, "+OK\r\n"...)
		return true
	default:
		return false
	}
	switch {
	case fc.multi:
		fc.queue(args)
		return true
	case fc.dialect && fc.term != n.topo.Epoch:
		fc.stale()
		return true
	}
	w.clock++
	key := string(args[1])
	if fc.dialect && n.topo.ShardOf(args[1]) != n.shard {
		w.t.Errorf("node %s ran %s %s, which is not its own", n.addr, name, key)
	}
	switch name {
	case "WATCH":
		if fc.watched == nil {
			fc.watched = map[string]int{}
		}
		fc.watched[key] = w.written[key]
		fc.out = append(fc.out, "+OK\r\n"...)
	case "RPUSH":
		id := string(args[2])
		n.done[id] = append(n.done[id], w.clock)
		w.lists[key] = append(w.lists[key], id)
		fc.out = append(fc.out, ":1\r\n"...)
		n.serve(key)
	case "BLPOP":
		w.came++
		fc.waits = &waiting{key: key, id: string(args[2]), came: w.came}
		n.serve(key)
	}
	return true
}

// serve gives what a list has to those who wait for it, in the order in which they came.
func (n *fakeNode) serve(key string) {
	w := n.w
	for len(w.lists[key]) > 0 {
		var first *fakeConn
		for _, fc := range n.conns {
			if fc.waits != nil && fc.waits.key == key && !fc.mc.Closed && (first == nil || fc.waits.came < first.waits.came) {
				first = fc
			}
		}
		if first == nil {
			return
		}
		element := w.lists[key][0]
		w.lists[key] = w.lists[key][1:]
		w.taken[element] = first.waits.id
		first.waits = nil
		at := len(first.out)
		first.out = resp.AppendArray(first.out, 2)
		first.out = resp.AppendBulkString(first.out, key)
		first.out = resp.AppendBulkString(first.out, element)
		first.stamp(at)
	}
}

func (fc *fakeConn) stale() {
	fc.out = append(fc.out, fmt.Sprintf("-STALE %d %s\r\n", fc.n.topo.Epoch, fc.n.topo.Line())...)
}

// refuseWaiting is what a node does that is given other slots.
func (n *fakeNode) refuseWaiting() {
	for _, fc := range n.conns {
		if fc.waits != nil && fc.dialect {
			fc.waits = nil
			fc.stale()
		}
	}
}

func (fc *fakeConn) client(args [][]byte) {
	w := fc.n.w
	if bytes.EqualFold(args[1], []byte("ID")) {
		w.ids++
		fc.id = w.ids
		fc.out = resp.AppendInt(fc.out, fc.id)
		return
	}
	id, _ := strconv.ParseInt(string(args[2]), 10, 64)
	at := slices.IndexFunc(fc.n.conns, func(other *fakeConn) bool { return other.id == id && other.waits != nil })
	if at < 0 {
		fc.out = append(fc.out, ":0\r\n"...)
		return
	}
	other := fc.n.conns[at]
	other.waits = nil
	w2 := resp.Writer{Out: other.out, Proto: other.proto}
	w2.NullArray()
	other.out = w2.Out
	fc.out = append(fc.out, ":1\r\n"...)
}
