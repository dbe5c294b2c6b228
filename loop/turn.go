package loop

// turn gathers what the callbacks of one round want written, so that each connection gets one write.
//
// gnet tells of no end of a round. A function handed to the loop runs after the events at hand, which is that end, but costs a wake-up through an
// eventfd and a round of its own. It pays where several callbacks of a round write to the same connection (many clients, one lane to a node); where they
// don't, what a callback produced is better written when it returns. Which of the two is right is learnt: rounds are gathered as long as that saves
// writes, else only one in a while to see whether it would.
type turn struct {
	touched []*Conn // to be flushed
	resumed []*Conn // to be given their Data again
	armed   bool    // the end of the round will be called
	ending  bool    // in end
	depth   int     // callbacks under way
	serial  uint32  // of the callback
	saved   int     // writes that gathering saved in this round
	gain    int     // saved, averaged over the recent rounds, in 1/gainOne
	inline  int     // callbacks to go before a round is gathered again
	calls   int     // callbacks since the last round that was gathered
}

const (
	gainOne    = 256          // one write saved a round
	gainMin    = gainOne / 12 // below it gathering does not pay; a write saved is worth many wake-ups on a busy loop
	inlineRuns = 32           // callbacks between two tries
)

// after ends a callback.
func (t *turn) after(l *Loop) {
	if t.depth--; t.depth > 0 || t.ending {
		return
	}
	t.serial++
	t.calls++
	l.yield()
	if len(t.touched) == 0 && len(t.resumed) == 0 || t.armed {
		return
	}
	if t.inline > 0 && l.nap.length == 0 {
		t.inline--
		t.end(l)
		return
	}
	t.arm(l)
}

func (t *turn) arm(l *Loop) {
	t.armed = true
	if l.wake(l.turnEnd) != nil {
		t.armed = false // the loop is ending
	}
}

// turnEnd is the end of a gathered round.
func (l *Loop) turnEnd() {
	t := &l.turn
	t.armed = false
	const decay = 8
	t.gain += (t.saved*gainOne - t.gain) / decay
	t.saved = 0
	if t.gain < gainMin {
		t.inline = inlineRuns
	}
	t.end(l)
	t.serial++
	if l.nap.due(t.calls) {
		l.sleep(l.nap.length)
	}
	t.calls = 0
}

// end flushes what was touched and resumes who may go on, until nothing is left of both.
func (t *turn) end(l *Loop) {
	t.ending = true
	l.stats.Turns++
	for len(t.touched) > 0 || len(t.resumed) > 0 {
		t.resume()
		for i := 0; i < len(t.touched); i++ { // flushing one may touch another
			t.touched[i].flush()
		}
		clear(t.touched)
		t.touched = t.touched[:0]
		l.drain()
	}
	t.ending = false
}

// resume gives those that were woken their input. Who is woken meanwhile gets its turn in the next call.
func (t *turn) resume() {
	woken := t.resumed
	t.resumed = nil
	for _, c := range woken {
		anyway := c.anyway
		c.resuming, c.anyway = false, false
		if c.ended || c.paused || len(c.In()) == 0 && !anyway {
			continue
		}
		c.handler.Data(c)
		c.settle()
	}
	if t.resumed == nil {
		clear(woken)
		t.resumed = woken[:0]
	}
}
