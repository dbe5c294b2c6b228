package engine

import (
	"errors"
	"log/slog"
	"strings"
	"time"

	"larder/access/users"
	"larder/engine/script"
	"larder/protocol/client"
	"larder/protocol/command"
)

// job is one run of a script or a function. It is the script's host: what runs its commands.
//
// A job runs in the coroutine of scripts, which is the loop's goroutine: its commands come one after the other, and nothing of others between them. Past
// busy-reply-threshold it yields every millisecond; then the loop reads other clients, who are told BUSY, and goes on with it in its next turn. Inside
// EXEC it cannot yield, since EXEC's own frames stand above it: there it ends with an error at the threshold, even if it has written. What it has written
// stays, as after any error of a script; a loop that nobody could free again would be worse.
type job struct {
	p        *part
	s        *session
	name     string // SHA1, or the function's
	row      *command.Row
	command  [][]byte
	flags    scriptFlags
	readOnly bool
	vm       *script.VM
	program  *script.Program  // it runs either this
	function *script.Function // or this
	keys     [][]byte         // until it yields
	args     [][]byte

	began, turn time.Time
	nested      bool // it runs inside EXEC
	yielded     bool
	killed      bool
	wrote       bool
	reply       []byte
	failed      *script.Failure
}

var (
	errKilled         = errors.New("ERR Script killed by user with SCRIPT KILL.")   //nolint:revive,staticcheck // Redis's words
	errFunctionKilled = errors.New("ERR Script killed by user with FUNCTION KILL.") //nolint:revive,staticcheck // Redis's words
	errTooLong        = errors.New("ERR Script inside a transaction ended: it has run longer than busy-reply-threshold")
)

func (j *job) busyText() string {
	if j.function != nil {
		return "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE."
	}
	return "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."
}

func setBusyThreshold(set *settings, value string) (wrong string) {
	n, wrong := client.ParseNumber(value, 0, 1<<62)
	if wrong == "" {
		set.busyMS = n - busyThresholdDefault
	}
	return wrong
}

func (j *job) run(out []byte) ([]byte, *script.Failure) {
	if j.function != nil {
		return j.vm.Call(j.function, j, j.keys, j.args, out, j.s.proto)
	}
	return j.vm.Run(j.program, j, j.keys, j.args, out, j.s.proto)
}

// start runs a job and answers, or leaves it running beside the loop.
func (s *session) start(what job) {
	p := s.p
	t := &p.scripts
	j := t.spare
	if j == nil {
		j = &job{}
	}
	t.spare = nil
	*j = what
	j.p, j.s = p, s
	if wrong := j.forbidden(); wrong != "" {
		s.fail(wrong)
		return
	}
	j.began = time.Now()
	j.turn, j.nested = j.began, p.depth > 0
	t.present = j
	db := s.dbIndex
	out := p.w.Out
	j.reply = out
	if t.next == nil {
		t.start()
	}
	p.stream.begin()
	if ended, _ := t.next(); !ended {
		p.w.Out = out
		j.reply = nil
		t.busy, j.yielded = j, true
		j.row, j.command = s.last, copyArgs(j.command)
		p.uncounted = append(p.uncounted, j.row.ID)
		s.stall(stallScript)
		p.l.Later(func() { p.goOn(j, db) })
		return
	}
	t.present = nil
	p.endTelling()
	s.useDB(db)
	p.w.Out, p.w.Proto = j.reply, s.proto
	if j.failed != nil {
		p.w.Error(j.errorText())
	}
	p.errorCounted = j.errorCounted()
	*j = job{}
	t.spare = j
}

// errorCounted tells whether the error that a job answers was counted when the command had it that it comes from.
func (j *job) errorCounted() bool {
	if j.failed != nil {
		return j.failed.Ignore
	}
	return j.vm.ErrorCounted()
}

// forbidden is why a job may not run at all.
func (j *job) forbidden() string {
	p := j.p
	switch {
	case j.flags&flagDeclared != 0 && j.flags&(flagNoWrites|flagAllowOOM) == 0 && p.set.maxMemory > 0 && !p.makeRoom(0):
		return textOOM
	case p.guard != 0 && j.staleScript() != "":
		return j.staleScript()
	case p.guard != 0 && j.flags&flagDeclared != 0 && j.flags&flagNoWrites == 0 && p.guardedScript(nil) != "":
		return p.guardedScript(nil)
	case j.readOnly && j.flags&flagDeclared != 0 && j.flags&flagNoWrites == 0:
		return "ERR Can not execute a script with write flag using *_ro command."
	case j.flags&flagNoCluster != 0 && j.s.ownSlots() != nil:
		return errNoCluster
	}
	return ""
}

// goOn gives a job another turn of the loop.
func (p *part) goOn(j *job, db int) {
	t := &p.scripts
	if t.next == nil || t.busy != j {
		return
	}
	now := p.call.NowMS
	j.turn = time.Now()
	ended, _ := t.next()
	if !ended {
		p.l.Later(func() { p.goOn(j, db) })
		return
	}
	p.call.NowMS = now
	t.busy, t.present = nil, nil
	p.endTelling()
	s := j.s
	if s.numbers != nil {
		p.closeBatch(s)
	}
	p.ran(s, j.row, j.command, int64(time.Since(j.began)))
	if j.failed != nil {
		p.count.commands.Fail(j.row.ID)
	}
	s.useDB(db)
	if s.gone {
		return
	}
	p.as(s, func() {
		if j.failed != nil {
			p.w.Error(j.errorText())
			if !j.errorCounted() {
				p.countError(j.errorText())
			}
			return
		}
		p.w.Raw(j.reply)
	})
	s.wake(stallScript)
}

// errorText is how a script's error is answered (Redis 7.0 script_lua.c, luaCallFunction).
func (j *job) errorText() string {
	f := j.failed
	text := f.Text
	if !f.Reply && !f.Stopped {
		text = "ERR " + text
	}
	text += " script: " + j.name
	if f.Line > 0 {
		text += ", on " + f.Where() + "."
	}
	return strings.NewReplacer("\r", " ", "\n", " ").Replace(text)
}

// Pause makes a job script.Host: the loop has its turn if the script takes long.
func (j *job) Pause() error {
	if j.killed {
		if j.function != nil {
			return errFunctionKilled
		}
		return errKilled
	}
	now := time.Now()
	if now.Sub(j.began) < time.Duration(j.p.set.busyMS+busyThresholdDefault)*time.Millisecond || now.Sub(j.turn) < pauseEvery {
		return nil
	}
	if j.nested {
		return errTooLong
	}
	if !j.p.scripts.yield(false) {
		j.killed = true
		return errKilled
	}
	return nil
}

// Call runs a command of the script.
func (j *job) Call(args [][]byte, proto int) []byte {
	p, s := j.p, j.s
	out, was := p.w.Out, p.w.Proto
	p.w.Out, p.w.Proto = p.scratch[:0], proto
	row := find(args)
	if wrong := j.refused(row, args); wrong != "" {
		p.w.Error(wrong)
		p.count.commands.Refuse(idOf(row))
		p.countError(wrong)
	} else {
		last, anyKey := s.last, s.anyKey
		s.anyKey = anyKey && s.scriptUser().ReadsAll()
		j.wrote = j.wrote || row.Flags.Has(command.Write) // whatever comes of it
		p.invoke(s, row, args)
		s.last, s.anyKey = last, anyKey
	}
	reply := p.w.Out
	if p.scratch = reply[:0]; cap(reply) > scratchKept {
		p.scratch = nil
	}
	p.w.Out, p.w.Proto = out, was
	return reply
}

// scratchKept is how much room for replies to scripts is kept, bytes.
const scratchKept = 1 << 20

// refused is the error of a command that a script may not run (Redis 7.0 script.c, scriptCall).
func (j *job) refused(row *command.Row, args [][]byte) string {
	p := j.p
	switch {
	case row == nil:
		return "ERR Unknown Redis command called from script"
	case !row.ArityOK(len(args)):
		return "ERR Wrong number of args calling Redis command from script"
	case row.Flags.Has(command.NoScript):
		return "ERR This Redis command is not allowed from script"
	}
	if j.s.scriptLimited() {
		if wrong := j.denied(row, args); wrong != "" {
			return wrong
		}
	}
	writes := row.Flags&(command.Write|command.MayReplicate) != 0
	switch {
	case blocks(row, args):
		return "ERR " + string(args[0]) + " command is not allowed with BLOCK option from scripts"
	case writes && (j.readOnly || j.flags&flagNoWrites != 0):
		return "ERR Write commands are not allowed from read-only scripts."
	case p.guard != 0 && !j.wrote && p.guardedScript(row) != "":
		return p.guardedScript(row)
	case p.set.maxMemory > 0 && row.Flags.Has(command.DenyOOM) && !j.wrote && j.flags&flagAllowOOM == 0 && !p.makeRoom(argBytes(args)):
		return textOOM
	}
	if own := j.s.ownSlots(); own != nil {
		return j.elsewhere(own, row, args)
	}
	return ""
}

// blocks tells whether a reading of streams is asked to wait.
func blocks(row *command.Row, args [][]byte) bool {
	if row.ID != command.CmdXRead && row.ID != command.CmdXReadGroup {
		return false
	}
	for _, arg := range args[1 : len(args)-1] {
		switch lower(arg) {
		case "streams":
			return false
		case "block":
			return true
		}
	}
	return false
}

func (j *job) denied(row *command.Row, args [][]byte) string {
	switch j.s.judgeAs(j.s.scriptUser(), row, args) {
	case users.Allowed:
		return ""
	case users.DeniedCommand:
		return "ERR The user executing the script can't run this command or subcommand"
	case users.DeniedKey:
		return "ERR The user executing the script can't access at least one of the keys mentioned in the command arguments"
	}
	return "ERR The user executing the script can't publish to the channel mentioned in the command"
}

// Allowed is redis.acl_check_cmd.
func (j *job) Allowed(args [][]byte) (allowed, known bool) {
	row := find(args)
	if row == nil {
		return false, false
	}
	if !j.s.scriptLimited() {
		return true, true
	}
	verdict, _ := j.s.scriptUser().Check(row, args)
	return verdict == users.Allowed, true
}

// Log is redis.log.
func (j *job) Log(level int, text string) {
	at := [...]slog.Level{slog.LevelDebug, slog.LevelDebug, slog.LevelInfo, slog.LevelWarn}[level]
	j.p.n.log.Log(nil, at, "a script says", "text", text, "node", j.p.n.id) //nolint:staticcheck // no context is on a loop
}

// Replicate is redis.set_repl. There is one stream for replicas and the journal: it tells of what either is to have.
func (j *job) Replicate(flags int) { j.p.call.Effects.Mute = flags == 0 }

// endTelling ends the unit of a script.
func (p *part) endTelling() {
	p.call.Effects.Mute = false
	p.stream.end()
}
