package engine

import (
	"larder/engine/store"
	"larder/protocol/command"
	"larder/protocol/resp"
)

const (
	batchMax     = 64   // commands read before the first of them runs
	batchArgsMax = 1024 // arguments of theirs that end a batch
	argsKeepMax  = 4096 // argument headers kept from batch to batch
)

// batch is a run of complete commands at the front of a connection's input: all of them are read before the first runs, so that what they will look for
// in memory can be fetched together.
//
// The result is that of one by one, since reading a command does not depend on those before it but for the parser's limits. What may change those
// (command.CmdAuth and the like) ends a batch, and a client that has yet to log in has batches of one.
type batch struct {
	commands []queued
	args     [][]byte     // of all commands, one after the other: views of the connection's input
	owned    int          // of a batch of one: index of an argument whose bytes are big's, 0 = none
	big      *store.Big   // of a batch of one
	head     resp.Head    // of the command before, if its row is known by its name alone
	row      *command.Row // that row
	starved  bool         // of a batch of one: it lacks an argument for which there is no room
}

// queued is a command of a batch.
type queued struct {
	row         *command.Row // nil: there is no such command, or no such subcommand
	first, last int          // its arguments are args[first:last]
	end         int          // where it ends in the input
}

func (b *batch) reset() {
	b.commands = b.commands[:0]
	if cap(b.args) > argsKeepMax {
		b.args = nil
	}
	b.args = b.args[:0]
	b.owned, b.big, b.starved = 0, nil, false
}

// read fills the batch from buf[pos:]. It gives the position up to which buf was understood, and what the parser said last: Done if there may be more.
func (b *batch) read(requests *resp.Requests, buf []byte, pos int, authed bool) (int, resp.State) {
	b.reset()
	for len(b.commands) < batchMax && len(b.args) < batchArgsMax {
		first := len(b.args)
		if authed {
			if args, n := requests.Like(&b.head, b.args, buf[pos:]); n > 0 {
				pos += n
				b.args = args
				b.commands = append(b.commands, queued{row: b.row, first: first, last: len(args), end: pos})
				continue
			}
		}
		args, n := requests.Append(b.args, buf[pos:])
		inline := false
		if n > 0 {
			b.head.Set(args[first:], buf[pos:])
		} else {
			var r resp.Request
			var state resp.State
			r, n, state = requests.Next(buf[pos:])
			if state != resp.Done {
				return pos + n, state
			}
			args = append(args, r.Args...) // which are b.args
			inline = r.Inline
			b.head.Clear()
		}
		pos += n
		b.args = args
		row := find(args[first:])
		b.commands = append(b.commands, queued{row: row, first: first, last: len(args), end: pos})
		ends := row != nil && endsBatch[row.ID]
		if b.row = row; row == nil || ends || row.Parent != 0 || len(row.Subs) > 0 {
			b.head.Clear()
		}
		if inline || !authed || ends {
			break // an inline command's words may stand in the parser's scratch
		}
	}
	return pos, resp.Done
}

// add makes a batch of one.
func (b *batch) add(row *command.Row, args [][]byte, end int) {
	b.args = append(b.args, args...)
	b.commands = append(b.commands, queued{row: row, last: len(b.args), end: end})
}

const (
	warmMin = 2        // commands from which looking at their keys together pays
	warmMax = batchMax // keys that are looked at together
)

// warm has the store load what the batch's keys lead to, all together, before the first command runs; forget is to follow. It is only a guess: the batch
// may change the database by a SELECT.
func (b *batch) warm(s *store.Store, db *store.DB) {
	if len(b.commands) < warmMin {
		return
	}
	keys := 0
	for i := range b.commands {
		q := &b.commands[i]
		if q.row == nil || q.row.First == 0 {
			continue
		}
		args := b.args[q.first:q.last]
		last := q.row.Last
		if last < 0 {
			last += len(args)
		}
		for at := q.row.First; at <= last && at < len(args) && keys < warmMax; at += q.row.Step {
			db.Prepare(args[at])
			keys++
		}
		if at := elementAt[q.row.ID]; at != 0 && at < len(args) {
			s.PrepareElement(args[at])
		}
	}
	s.Fetch()
}

// elementAt says which argument of a command is the first element that it looks for in a collection, by a hash; 0: none.
var elementAt = buildElementAt()

func buildElementAt() (at [command.NumIDs + 1]int) {
	for _, id := range []command.ID{
		command.CmdSAdd, command.CmdSRem, command.CmdSIsMember, command.CmdSMIsMember,
		command.CmdHSet, command.CmdHSetNX, command.CmdHMSet, command.CmdHGet, command.CmdHMGet, command.CmdHDel, command.CmdHExists, command.CmdHStrLen,
		command.CmdHIncrBy, command.CmdHIncrByFloat,
		command.CmdZScore, command.CmdZMScore, command.CmdZRem, command.CmdZRank, command.CmdZRevRank,
	} {
		at[id] = 2
	}
	at[command.CmdZAdd], at[command.CmdZIncrBy] = 3, 3 // behind the score; ZADD's options make it a wrong guess, which costs little
	return at
}

// find is the row that runs args, of a container the subcommand; its arity is yet to be checked.
func find(args [][]byte) *command.Row {
	row := command.Lookup(args[0])
	if row != nil && len(row.Subs) > 0 && len(args) > 1 {
		return row.Sub(args[1])
	}
	return row
}

// endsBatch marks the commands that may change how later ones are read.
var endsBatch = buildMarks(func(row *command.Row) bool {
	switch row.ID {
	case command.CmdAuth, command.CmdHello, command.CmdReset, command.CmdConfigSet, command.CmdExec:
		return true
	}
	return false
})
