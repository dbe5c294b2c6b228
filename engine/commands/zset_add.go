package commands

import (
	"math"

	"larder/engine/zsets"
)

// zAddOptions are what may stand between ZADD's key and its scores.
type zAddOptions struct {
	nx, xx, gt, lt bool
	ch, incr       bool
	first          int // index of the first score among the arguments
}

func (o *zAddOptions) word(arg []byte) bool {
	switch {
	case is(arg, "nx"):
		o.nx = true
	case is(arg, "xx"):
		o.xx = true
	case is(arg, "gt"):
		o.gt = true
	case is(arg, "lt"):
		o.lt = true
	case is(arg, "ch"):
		o.ch = true
	case is(arg, "incr"):
		o.incr = true
	default:
		return false
	}
	return true
}

// parseZAdd leaves the scores in c.scores.
func (c *Call) parseZAdd(incr bool) (o zAddOptions, err string) {
	args := c.Args
	o.incr, o.first = incr, 2
	for o.first < len(args) && o.word(args[o.first]) {
		o.first++
	}
	values := len(args) - o.first
	switch {
	case values == 0 || values%2 != 0:
		return o, errSyntax
	case o.nx && o.xx:
		return o, errZAddNXAndXX
	case o.gt && o.nx || o.lt && o.nx || o.gt && o.lt:
		return o, errZAddCompare
	case o.incr && values > 2:
		return o, errZAddIncr
	}
	c.scores = c.scores[:0]
	for i := o.first; i < len(args); i += 2 {
		score, ok := parseDouble(args[i])
		if !ok {
			return o, errNotFloat
		}
		c.scores = append(c.scores, score)
	}
	return o, noError
}

func zAdd(c *Call)    { c.zAdd(false) }
func zIncrBy(c *Call) { c.zAdd(true) }

func (c *Call) zAdd(incr bool) {
	o, err := c.parseZAdd(incr)
	if err != noError {
		c.W.Error(err)
		return
	}
	c.addScored(o, 2)
}

// addScored adds members with the scores in c.scores. From o.first on, each is the last of width arguments.
func (c *Call) addScored(o zAddOptions, width int) {
	key := c.Args[1]
	e, found, wrong := c.openZSet(key)
	if wrong {
		return
	}
	w := zAddition{o: o, e: e}
	if found || !o.xx {
		for i, score := range c.scores {
			w.put(c.Args[o.first+width*(i+1)-1], score)
		}
	}
	e.Close()
	c.zAddDone(&w, key, found)
}

// zAddDone tells of what was done and answers.
func (c *Call) zAddDone(w *zAddition, key []byte, found bool) {
	if changes := w.added + w.updated; changes > 0 {
		c.Changed += changes
		if !found {
			c.Push(key)
		}
		event := "zadd"
		if w.o.incr {
			event = "zincr"
		}
		c.Did(ClassZSet, event, key)
	}
	switch {
	case w.nan:
		c.W.Error(errScoreNaN)
	case w.o.incr && w.done:
		c.W.Double(w.score)
	case w.o.incr:
		c.W.Null()
	case w.o.ch:
		c.W.Int(int64(w.added + w.updated))
	default:
		c.W.Int(int64(w.added))
	}
}

// zAddition is a ZADD on its way.
type zAddition struct {
	o              zAddOptions
	e              *zsets.Edit
	added, updated int
	done           bool    // the condition let the last member pass
	score          float64 // of the last member
	nan            bool    // INCR gave no number
}

func (w *zAddition) put(member []byte, score float64) {
	old, there := w.e.Score(member)
	w.done = false
	if !there {
		if w.o.xx {
			return
		}
		w.done, w.score = true, score
		w.added++
		w.e.Put(member, score)
		return
	}
	if w.o.nx {
		return
	}
	if w.o.incr {
		if score += old; math.IsNaN(score) {
			w.nan = true
			return
		}
	}
	if w.o.lt && score >= old || w.o.gt && score <= old {
		return
	}
	w.done, w.score = true, score
	if score != old {
		w.updated++
		w.e.Put(member, score)
	}
}
