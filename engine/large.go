package engine

import (
	"larder/engine/store"
	"larder/protocol/command"
	"larder/protocol/resp"
)

const (
	// largeMin is the size from which an argument is not waited for in the connection's buffer, bytes.
	largeMin = 256 << 10
	// largeFirst is the room that a large argument gets before it has shown that it comes: who announces 512 MB and sends nothing costs this much.
	largeFirst = 1 << 20
)

// arrival is a command with a large argument that is taken in as it comes: each byte is copied once, into a buffer made for the argument, which the store
// may then keep. So a value's cost is linear in its size whatever pieces it comes in, and memory holds it once.
type arrival struct {
	args     [][]byte   // its own copies, as far as they have come
	big      *store.Big // the first argument that is long enough has its bytes where the store can keep them
	bigAt    int        // its index
	size     int        // what the last of them will have when fill is done with it, if begin opened it
	bytes    int64      // of all of them
	heap     int        // bytes that are not big's
	starved  bool       // there is no room for it: what comes is dropped, and the command refused
	complete bool
}

// incomplete looks at the beginning of a command whose end has not come, at buf[pos:]: a large argument is not waited for.
func (s *session) incomplete(buf []byte, pos int) (next int, more bool) {
	big, ok := s.requests.Big()
	if !ok || big.Len < largeMin {
		s.limitQuery(int64(len(buf) - pos))
		return pos, false
	}
	a := s.arrival
	if a == nil {
		a = new(arrival)
	}
	if s.limitQuery(a.bytes + int64(big.Start) + big.Len) {
		return pos, false
	}
	if s.arrival == nil {
		s.arrival = a
		s.p.count.large++
	}
	for _, arg := range big.Args {
		a.add(arg)
	}
	a.starved = a.starved || s.starves(a.args, big.Len)
	a.begin(s.p.store, int(big.Len))
	a.fill(big.Data)
	n := s.requests.Seen()
	s.requests.Shift(n)
	return pos + n, true
}

// starves tells whether the command that begins with args is refused anyway because of an argument of size bytes. Where keys can be evicted they are,
// while it comes.
func (s *session) starves(args [][]byte, size int64) bool {
	p := s.p
	if p.set.maxMemory == 0 || len(args) == 0 {
		return false
	}
	row := find(args)
	if row == nil || !row.Flags.Has(command.DenyOOM) {
		return false
	}
	return size > p.set.maxMemory || p.set.policy == store.NoEviction && p.used()+size > p.set.maxMemory
}

// limitQuery closes a client whose one command needs more than is allowed, and reports that.
func (s *session) limitQuery(size int64) bool {
	if size <= s.p.n.opts.QueryMaxBytes {
		return false
	}
	s.p.count.slowClosed++
	s.p.warn("client closed: its command is larger than allowed", s.c)
	s.closing = true
	return true
}

// receive takes in what has come of the command that is arriving, and runs it when it is complete.
func (s *session) receive(buf []byte, pos int) (next int, more bool) {
	a := s.arrival
	if a.complete {
		return s.runArrival(pos)
	}
	r, n, state := s.requests.Next(buf[pos:])
	pos += n
	switch state {
	case resp.Piece:
		a.fill(r.Args[0])
		s.p.store.Fit(len(r.Args[0]), s.p.nowMS)
		return pos, true
	case resp.Done:
		for _, arg := range r.Args {
			a.add(arg)
		}
		a.complete = true
		return s.runArrival(pos)
	case resp.Failed:
		s.protocolError()
		return len(buf), false
	default:
		return s.incomplete(buf, pos)
	}
}

// runArrival runs the command that has arrived, unless it has to wait.
func (s *session) runArrival(pos int) (next int, more bool) {
	p, a := s.p, s.arrival
	p.batch.reset()
	if a.big != nil {
		p.batch.owned, p.batch.big = a.bigAt, a.big
		a.args[a.bigAt] = a.big.Bytes()
	}
	p.batch.starved = a.starved
	p.batch.add(find(a.args), a.args, pos)
	p.runBatch(s, pos)
	if s.stalled != stallPause {
		a.big = p.batch.big
		a.drop()
		s.arrival = nil
	}
	return pos, !s.closing && s.stalled == stallNone
}

// add keeps a copy of an argument.
func (a *arrival) add(arg []byte) {
	a.args = append(a.args, append([]byte(nil), arg...))
	a.bytes += int64(len(arg))
	a.heap += len(arg)
}

// drop gives back what the store did not keep.
func (a *arrival) drop() {
	if a.big != nil {
		a.big.Drop()
		a.big = nil
	}
}

// begin opens an argument of size bytes that fill is to bring.
func (a *arrival) begin(in *store.Store, size int) {
	if a.starved {
		a.args = append(a.args, nil)
		return
	}
	if a.big == nil && len(a.args) > 0 {
		a.big, a.bigAt = in.NewBig(size), len(a.args)
		a.args = append(a.args, nil)
		a.bytes += int64(size)
		return
	}
	a.args = append(a.args, make([]byte, 0, min(size, largeFirst)))
	a.size = size
	a.bytes += int64(size)
	a.heap += size
}

func (a *arrival) fill(piece []byte) {
	if a.starved {
		return
	}
	if a.big != nil && a.bigAt == len(a.args)-1 {
		_, _ = a.big.Write(piece) // it has room for what was announced
		return
	}
	last := &a.args[len(a.args)-1]
	if len(*last)+len(piece) > cap(*last) {
		*last = append(make([]byte, 0, a.size), *last...)
	}
	*last = append(*last, piece...)
}
