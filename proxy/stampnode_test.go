package proxy

import (
	"slices"
	"strconv"

	"larder/protocol/resp"
	"larder/router"
)

// fakeStream is how far a fake node says that it is.
type fakeStream struct {
	history                        string
	reign                          uint64
	executed, committed, confirmed int64
	shared                         map[string]int64 // by history, how much of other streams it has
	refuses                        bool             // its set is too small for writes
}

// stamp puts a stamp before what the node has said on a connection behind a place, if anything of it has changed there.
func (fc *fakeConn) stamp(at int) {
	if fc.told == nil || fc.n.stream == nil || len(fc.out) == at {
		return
	}
	fc.out = slices.Insert(fc.out, at, fc.stampText()...)
}

// stampText is what the stream is now, empty if it is as the connection was told last.
func (fc *fakeConn) stampText() (text []byte) {
	now, was := fc.n.stream, fc.told
	renamed := now.history != was.history
	if !renamed && now.reign == was.reign && now.executed == was.executed && now.committed == was.committed && now.confirmed == was.confirmed {
		return nil
	}
	parts := 4
	text = resp.AppendBulkString(text, "stamp")
	for _, n := range []int64{int64(now.reign), now.executed, now.committed} {
		text = resp.AppendInt(text, n)
	}
	if now.confirmed != now.committed {
		parts++
		text = resp.AppendInt(text, now.confirmed)
	}
	if renamed {
		parts++
		text = resp.AppendBulkString(text, now.history)
	}
	said := *now
	fc.told = &said
	return append([]byte(">"+strconv.Itoa(parts)+"\r\n"), text...)
}

// commit says up to where the node's stream is committed: those of its connections are told at once that have heard of something that was not.
func (n *fakeNode) commit(committed, confirmed int64) {
	n.stream.committed, n.stream.confirmed = committed, confirmed
	for _, fc := range n.conns {
		if fc.told != nil && fc.told.history != "" && min(fc.told.committed, fc.told.confirmed) < fc.told.executed {
			fc.out = append(fc.out, fc.stampText()...)
		}
	}
}

// stampWords is what a fake node says to the words about stamps.
func (fc *fakeConn) stampWords(args [][]byte) bool {
	switch string(args[1]) {
	case "STAMPS":
		fc.told = &fakeStream{}
		fc.out = append(fc.out, "+OK\r\n"...)
	case "SHARED":
		shared := int64(-1)
		if st := fc.n.stream; st.history == string(args[2]) {
			shared = st.executed
		} else if n, ok := st.shared[string(args[2])]; ok {
			shared = n
		}
		fc.out = resp.AppendInt(fc.out, shared)
	case "HELLO":
		if fc.n.name == "" {
			return false
		}
		fc.dialect = true
		w := resp.Writer{Out: fc.out, Proto: fc.proto}
		w.Map(3)
		w.Bulk("epoch")
		w.Int(int64(fc.n.topo.Epoch))
		w.Bulk("id")
		w.Bulk(fc.n.name)
		w.Bulk("record")
		line := ""
		if fc.n.record != nil {
			line = fc.n.record.Line()
		}
		w.Bulk(line)
		fc.out = w.Out
	case "TERM":
		if len(args) == 4 {
			fc.said = string(args[3])
		}
		return false
	default:
		return false
	}
	return true
}

// refusesByRecord is what a node says that gets orders and does not serve the lane by its record.
func (fc *fakeConn) refusesByRecord() bool {
	r := fc.n.record
	if r == nil || r.State == router.Normal && r.Primary.Node == fc.n.name && fc.said == strconv.FormatUint(r.Term, 10) {
		return false
	}
	fc.out = append(fc.out, "-STALE record "+r.Line()+"\r\n"...)
	return true
}
