package commands

import "larder/protocol/resp"

// Effects are what commands did, told as commands that do the same wherever they run: with the time at which a key dies instead of how long it lives, with
// the members that chance chose. Replicas and the journal get them. What is told since the last Clear is a unit: it happens as a whole or not at all.
//
// Nobody needs to listen: with On 0 handlers keep nothing.
type Effects struct {
	On   int  // -1 (all bits, so that counts can be masked by it): somebody wants to know; 0: nobody does
	Mute bool // a script tells nothing of what it does from here on; keys that die are told all the same
	Ops  int  // commands of the unit

	said int // the database that the commands are in, and one; 0: nothing says so yet
	head int // where the first command of the unit begins in out, behind its SELECT
	out  []byte
}

// effectsKept is how much room is kept from unit to unit, bytes.
const effectsKept = 1 << 20

// Restate has the next command say its database, whatever was said before: somebody begins to listen there.
func (e *Effects) Restate() { e.said = 0 }

// Unit is what was told: what has to come before all of it, which is nothing or a SELECT, and the commands. Both are dead with the next command told.
func (e *Effects) Unit() (head, commands []byte) { return e.out[:e.head], e.out[e.head:] }

// Clear begins the next unit.
func (e *Effects) Clear() {
	e.Ops, e.head = 0, 0
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
	if c.Changed > 0 && !c.told && c.tells() {
		c.Effects.Put(c.DBIndex, c.Args)
	}
	c.told = true
}
