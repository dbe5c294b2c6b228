package proxy

import (
	"bytes"
	"slices"
	"strings"

	"larder/access/acl"
	"larder/access/users"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// The users of a gateway and what they may do (ACL). All loops share one set, which is never changed: who changes it makes another. What each command may
// is decided here, before it leaves: nodes know the gateway, not its users.

// changeUsers has change alter a copy of the users, which then are everybody's. With an error nothing has changed.
func (g *Gateway) changeUsers(change func(*users.Users) error) error {
	for {
		have := g.users.Load()
		next := have.Clone()
		if err := change(next); err != nil {
			return err
		}
		if g.users.CompareAndSwap(have, next) {
			return nil
		}
	}
}

// setDefaultPassword is what requirepass does: it is the default user's only password.
func (g *Gateway) setDefaultPassword(password string) {
	rules := []string{"nopass"}
	if password != "" {
		rules = []string{"resetpass", ">" + password}
	}
	err := g.changeUsers(func(all *users.Users) error {
		_, err := all.Set(users.DefaultName, rules)
		return err
	})
	if err != nil {
		g.log.Error("set the default user's password", "err", err) // these rules cannot be refused
	}
}

// be makes u the session's user, who may run commands if authed.
func (s *session) be(u *users.User, authed bool) {
	s.user, s.authed, s.limited = u, authed, !u.Unlimited()
	s.guarded = !s.authed || s.limited
	s.requests.SetLimits(s.p.g.limits(authed))
	s.chooseReads()
}

// beDefault makes the session the default user's; it is logged in if that user needs no password.
func (s *session) beDefault() {
	u := s.p.g.users.Load().Default()
	s.be(u, u.Enabled && u.NoPass)
}

// barred is the error of a command that a guarded session may not run, "" if it may.
func (s *session) barred(row *command.Row, args [][]byte) string {
	if !s.authed {
		if row.Flags.Has(command.NoAuth) {
			return ""
		}
		return "NOAUTH Authentication required."
	}
	if v := s.askRules(row, args); v != users.Allowed {
		return acl.Denied(s.user, row, v)
	}
	return s.sortBarred(row, args)
}

// askRules asks the rules of the session's user about a command, and notes a refusal in the log.
func (s *session) askRules(row *command.Row, args [][]byte) users.Verdict {
	v, at := s.user.Check(row, args)
	switch v {
	case users.Allowed:
	case users.DeniedCommand:
		s.noteRefusal("command", row.Name, s.user.Name)
	case users.DeniedKey:
		s.noteRefusal("key", string(args[at]), s.user.Name)
	default:
		s.noteRefusal("channel", string(args[at]), s.user.Name)
	}
	return v
}

// barredSince is the error of a command that was queued for EXEC by older rules, "" if the session may run it.
func (s *session) barredSince(row *command.Row, args [][]byte) string {
	if v := s.askRules(row, args); v != users.Allowed {
		return acl.DeniedSince(v)
	}
	return s.sortBarred(row, args)
}

// depends tells whether it depends on arguments that have not come if the session's user may run a large command: words behind a value may ask to read what
// it replaces.
func (s *session) depends(args [][]byte) bool {
	return !s.user.CheckKey(args[1], command.KeyAccess|command.KeyUpdate|command.KeyInsert|command.KeyDelete)
}

func (s *session) sortBarred(row *command.Row, args [][]byte) string {
	if row.ID != command.CmdSort && row.ID != command.CmdSortRO || s.user.ReadsAll() {
		return ""
	}
	return sortDenied(args)
}

// sortDenied is the error of a SORT that would read keys by patterns, for a user who may not read all keys; "" if it does not (Redis 7.0 sort.c,
// sortCommandGeneric). Words in the wrong place are for the node to refuse.
func sortDenied(args [][]byte) string {
	for i := 2; i < len(args); i++ {
		switch word := strings.ToLower(string(args[i])); {
		case word == "limit":
			i += 2
		case word == "store":
			i++
		case word == "by" && i+1 < len(args):
			if i++; bytes.IndexByte(args[i], '*') >= 0 {
				return "ERR BY option of SORT denied due to insufficient ACL permissions"
			}
		case word == "get" && i+1 < len(args):
			return "ERR GET option of SORT denied due to insufficient ACL permissions"
		case word != "asc" && word != "desc" && word != "alpha":
			return ""
		}
	}
	return ""
}

// actFor says for whom scripts run that come next on the lane: nodes see what they do, the gateway does not.
func (ln *lane) actFor(s *session) {
	var u *users.User
	if s.limited {
		u = s.user
	}
	if ln.acts == u {
		return
	}
	ln.acts = u
	words := [][]byte{wordLarder, wordUser}
	if u != nil {
		words = append(words, []byte(u.Name))
		for _, rule := range u.Rights() {
			words = append(words, []byte(rule))
		}
	}
	ln.say(words...)
}

var wordUser = []byte("USER")

// mayScript tells whether a node can run scripts of the session's user. A stock one cannot be told the rights of a user who may not do everything: there
// they are refused. False and no text: it is not known yet what the node is, and the session waits for the lane's greeting.
func (s *session) mayScript(u *upstream) (able bool, wrong string) {
	switch {
	case !s.limited || u.known && u.larder:
		return true, ""
	case u.known:
		return false, "NOPERM scripts of a user with limited rights need a node that can be told them, and this shard's is a stock server"
	}
	ln := u.lane(s.proto)
	if ln == nil {
		return false, u.err
	}
	ln.waiters = append(ln.waiters, s)
	return false, ""
}

// noteRefusal keeps in ACL LOG what was refused to the session.
func (s *session) noteRefusal(reason, object, user string) {
	p := s.p
	context := "toplevel"
	if s.tx != nil {
		context = "multi"
	}
	r := acl.Refusal{Reason: reason, Context: context, Object: object, User: user, Client: s.describe()}
	p.refusals.Note(r, p.g.nowMS(p.l.Now()), func() int64 { return int64(p.g.refusals.Add(1)) - 1 })
}

// usersChanged hands the users' new rules to this loop's sessions. Who is one of those that are gone is closed, and so is who listens to what is no longer
// allowed. It says whether asks, whose reply is to come first, is one of them.
func (p *part) usersChanged(gone []string, asks *session) (closeAsks bool) {
	all := p.g.users.Load()
	for _, s := range p.sessions {
		u := all.Get(s.user.Name)
		switch {
		case u == s.user:
			continue
		case u == nil || slices.Contains(gone, u.Name):
			s.be(all.Default(), false)
		default:
			s.be(u, s.authed)
			if s.tx != nil {
				s.tx.doubted = true // what it has queued was judged by other rules
			}
			s.barBlocked()
			if s.mayListen() {
				continue
			}
		}
		if s == asks {
			closeAsks = true
		} else {
			s.c.Close()
		}
	}
	return closeAsks
}

// barBlocked ends the waiting of a command that the session's user may not run any more. The node decides whether it has got something before.
func (s *session) barBlocked() {
	b := s.block
	if b == nil || !s.limited {
		return
	}
	req, _, st := s.p.again.Next(s.blockedRaw())
	if st != resp.Done {
		return
	}
	if wrong := s.barred(s.q.at(b.seq).row, req.Args); wrong != "" {
		b.wrong = wrong
		s.endBlock("ERROR", wrong, func(int64) {})
	}
}

// blockedRaw is the command that waits, as it was sent or is to be sent again.
func (s *session) blockedRaw() []byte {
	if ln := s.block.ln; ln != nil && ln.queue.len() > 0 {
		return ln.log[len(ln.log)-int(ln.queue.at(ln.queue.tail-1).bytes):]
	}
	for _, r := range s.p.retries {
		if r.t.s == s {
			return r.raw
		}
	}
	return nil
}

// mayListen tells whether the session's user may have all its subscriptions.
func (s *session) mayListen() bool {
	if s.ears == nil {
		return true
	}
	for kind := range topicKinds {
		for name := range s.ears.topics[kind] {
			if !s.user.CheckChannel([]byte(name), kind == pattern) {
				return false
			}
		}
	}
	return true
}
