package commands

import "larder/protocol/resp"

// Effects are what commands did, told as commands that do the same wherever they run: with the time at which a key dies instead of how long it lives, with
// the members that chance chose. Replicas and the journal get them. What is told since the last Clear is a unit: it happens as a whole or not at all.
//
// Nobody needs to listen: with On 0 handlers keep nothing.
type Effects struct {
	On   int  // -1 (all bits, so that counts can be masked by it): somebody wants to know; 0: nobody does
	Held bool // the unit goes on behind the present command
	Mute bool // a script tells nothing of what it does from here on; keys that die are told all the same
	Ops  int  // commands of the unit

	said int // the database that the commands are in, and one; 0: nothing says so yet
	head int // where the first command of the unit begins in out, behind its SELECT
	out  []byte

	large []largeArg // arguments that are not in out
}

// largeArg is an argument that is too long to be copied twice.
type largeArg struct {
	at   int // in out, where it belongs
	text []byte
}

// largeArgMin is the length of such arguments, bytes.
const largeArgMin = 64 << 10

// effectsKept is how much room is kept from unit to unit, bytes.
const effectsKept = 1 << 20

// Restate has the next command say its database, whatever was said before: somebody begins to listen there.
func (e *Effects) Restate() { e.said = 0 }

// Head is what has to come before all that was told: nothing or a SELECT. It is dead with the next command told, as the pieces of Each are.
func (e *Effects) Head() []byte { return e.out[:e.head] }

// Much tells whether the unit is large, or has arguments that the next command may change: it should end, if it can.
func (e *Effects) Much() bool { return e.Ops >= unitOps || len(e.large) > 0 || len(e.out) >= unitBytes }

// A unit of several commands is best if who obeys it reads it, with what stands around it, at once.
const (
	unitOps   = 60
	unitBytes = 64 << 10
)

// Each gives the commands that were told, in pieces.
func (e *Effects) Each(f func(piece []byte)) {
	at := e.head
	for _, l := range e.large {
		f(e.out[at:l.at])
		f(l.text)
		at = l.at
	}
	f(e.out[at:])
}

// Clear begins the next unit.
func (e *Effects) Clear() {
	e.Ops, e.head = 0, 0
	if len(e.large) > 0 {
		clear(e.large)
		e.large = e.large[:0]
	}
	if e.out = e.out[:0]; cap(e.out) > effectsKept {
		e.out = nil
	}
}

// Put tells of a whole command in a database.
func (e *Effects) Put(db int, args [][]byte) {
	e.enter(db)
	e.out = resp.AppendCommand(e.out, args...)
}

// Gone tells that a key died of age or was evicted, whoever wants to keep silent.
func (e *Effects) Gone(db int, key []byte) {
	if e.On != 0 {
		e.begin(db, 2)
		e.Text("UNLINK").Bytes(key)
	}
}

// begin begins a command of n arguments, which are to follow.
func (e *Effects) begin(db, n int) {
	e.enter(db)
	e.out = resp.AppendArray(e.out, n)
}

// enter counts a command, which is to follow, in a database.
func (e *Effects) enter(db int) {
	if e.said != db+1 {
		e.said = db + 1
		e.out = resp.AppendArray(e.out, 2)
		e.Text("SELECT").Int(int64(db))
	}
	if e.Ops == 0 {
		e.head = len(e.out)
	}
	e.Ops++
}

// Text is the next argument. On nil it does nothing, and so do Bytes and Int.
func (e *Effects) Text(arg string) *Effects {
	if e != nil {
		e.out = resp.AppendBulkString(e.out, arg)
	}
	return e
}

// Bytes is the next argument.
func (e *Effects) Bytes(arg []byte) *Effects {
	if e != nil {
		e.out = resp.AppendBulk(e.out, arg)
	}
	return e
}

// Large is the next argument, which may be long and stays as it is until the command has ended.
func (e *Effects) Large(arg []byte) *Effects {
	if e == nil || e.Held || len(arg) < largeArgMin {
		return e.Bytes(arg)
	}
	e.out = resp.AppendBulkHeader(e.out, len(arg))
	e.large = append(e.large, largeArg{len(e.out), arg})
	e.out = append(e.out, '\r', '\n')
	return e
}

// Int is the next argument.
func (e *Effects) Int(n int64) *Effects {
	if e != nil {
		e.out = resp.AppendBulkInt(e.out, n)
	}
	return e
}

// Replace begins a command of n arguments that is told instead of the present one; several may follow each other. nil if nobody wants to know. A command
// of which nothing else is told is told as it is, if it changed anything.
func (c *Call) Replace(n int) *Effects {
	c.told = true
	return c.Also(n)
}

// Also begins a command of n arguments that is told before the present one, or before what replaces it. nil if nobody wants to know.
func (c *Call) Also(n int) *Effects {
	if !c.tells() {
		return nil
	}
	c.Effects.begin(c.DBIndex, n)
	return &c.Effects
}

// tells reports whether anybody wants to know what the command does.
func (c *Call) tells() bool { return c.Effects.On != 0 && !c.Effects.Mute }

// tellAnyway tells of the command as it is, even if it has changed nothing here.
func (c *Call) tellAnyway() {
	c.told = true
	if c.tells() {
		c.Effects.Put(c.DBIndex, c.Args)
	}
}

// Silence has nothing told of the command but what it tells by Also.
func (c *Call) Silence() { c.told = true }

// Tell ends the telling of a command: one that changed something and did not say what is told as it is.
func (c *Call) Tell() {
	switch e := &c.Effects; {
	case c.Changed == 0 || c.told || !c.tells():
	case c.Owned == 0:
		e.Put(c.DBIndex, c.Args)
	default:
		e.begin(c.DBIndex, len(c.Args))
		for _, arg := range c.Args {
			e.Large(arg)
		}
	}
	c.told = true
}
