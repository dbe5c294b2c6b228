package engine

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"strings"

	"larder/access/users"
	"larder/protocol/client"
	"larder/protocol/command"
)

// The users of a node and what they may do (ACL). They live on the node's loop.

const errNoACLFile = "ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users in the Redis configuration."

// be makes u the session's user.
func (s *session) be(u *users.User) {
	s.user = u
	s.limited, s.anyKey = !u.Unlimited(), u.ReadsAll()
}

// beDefault makes the session the default user's; it is logged in if that user needs no password.
func (s *session) beDefault() {
	u := s.p.users.Default()
	s.be(u)
	s.setAuthed(u.Enabled && u.NoPass)
}

// setDefaultPassword is what requirepass does: it is the default user's only password.
func (p *part) setDefaultPassword(password string) {
	rules := []string{"nopass"}
	if password != "" {
		rules = []string{"resetpass", ">" + password}
	}
	u, err := p.users.Set(users.DefaultName, rules)
	if err != nil {
		p.n.log.Error("set the default user's password", "err", err) // these rules cannot be refused
		return
	}
	p.userChanged(u, nil)
}

// judge asks the rules of the session's user about a command, and notes a refusal in the log.
func (s *session) judge(row *command.Row, args [][]byte) users.Verdict {
	v, at := s.user.Check(row, args)
	switch v {
	case users.Allowed:
	case users.DeniedCommand:
		s.p.aclLog.note(s, "command", row.Name, s.user.Name)
	case users.DeniedKey:
		s.p.aclLog.note(s, "key", string(args[at]), s.user.Name)
	default:
		s.p.aclLog.note(s, "channel", string(args[at]), s.user.Name)
	}
	return v
}

// denied is the error of a command that the session's user may not run, "" if it may.
func (s *session) denied(row *command.Row, args [][]byte) string {
	switch s.judge(row, args) {
	case users.Allowed:
		return ""
	case users.DeniedCommand:
		return "NOPERM User " + s.user.Name + " has no permissions to run the '" + row.Name + "' command"
	case users.DeniedKey:
		return "NOPERM No permissions to access a key"
	default:
		return "NOPERM No permissions to access a channel"
	}
}

func aclWhoAmI(s *session, _ [][]byte) { s.p.w.Bulk(s.user.Name) }

func aclUsers(s *session, _ [][]byte) {
	names := s.p.users.Names()
	s.p.w.Array(len(names))
	for _, name := range names {
		s.p.w.Bulk(name)
	}
}

func aclList(s *session, _ [][]byte) {
	names := s.p.users.Names()
	s.p.w.Array(len(names))
	for _, name := range names {
		s.p.w.Bulk("user " + s.p.users.Get(name).Text())
	}
}

func aclSetUser(s *session, args [][]byte) {
	rules := make([]string, 0, len(args)-3)
	for _, rule := range args[3:] {
		rules = append(rules, string(rule))
	}
	u, err := s.p.users.Set(string(args[2]), rules)
	if err != nil {
		s.fail("ERR " + err.Error())
		return
	}
	s.p.userChanged(u, s)
	s.ok()
}

// userChanged hands a user's new rules to those who are it; who is subscribed to what is no longer allowed is cut off.
func (p *part) userChanged(u *users.User, asks *session) {
	for _, s := range p.sessions {
		if s.user.Name != u.Name {
			continue
		}
		s.be(u)
		if !s.mayListen() {
			s.cut(asks)
		}
	}
}

// mayListen tells whether the session's user may have all its subscriptions.
func (s *session) mayListen() bool {
	for kind := range s.topics {
		for name := range s.topics[kind] {
			if !s.user.CheckChannel([]byte(name), topicKind(kind) == pattern) {
				return false
			}
		}
	}
	return true
}

// cut ends a session by the will of another; the one that asks for it gets its reply before.
func (s *session) cut(asks *session) {
	if s == asks {
		s.closing = true
	} else {
		s.c.Close()
	}
}

func aclDelUser(s *session, args [][]byte) {
	names := make([]string, 0, len(args)-2)
	for _, name := range args[2:] {
		names = append(names, string(name))
	}
	gone, err := s.p.users.Delete(names)
	if err != nil {
		s.fail("ERR " + err.Error())
		return
	}
	for _, u := range gone {
		s.p.userGone(u.Name, s)
	}
	s.p.w.Int(int64(len(gone)))
}

// userGone closes the connections of a user that is no more; the one that asks for it gets its reply before.
func (p *part) userGone(name string, asks *session) {
	for _, s := range p.sessions {
		if s.user.Name != name {
			continue
		}
		s.be(p.users.Default())
		s.setAuthed(false)
		s.cut(asks)
	}
}

func aclGetUser(s *session, args [][]byte) {
	w := &s.p.w
	u := s.p.users.Get(string(args[2]))
	if u == nil {
		w.Null()
		return
	}
	own, others := u.Selectors()
	w.Map(6)
	w.Bulk("flags")
	flags := u.Flags()
	w.Set(len(flags))
	for _, flag := range flags {
		w.Bulk(flag)
	}
	w.Bulk("passwords")
	w.Array(len(u.Passwords()))
	for _, hash := range u.Passwords() {
		w.Bulk(hash)
	}
	s.writePermissions(own)
	w.Bulk("selectors")
	w.Array(len(others))
	for _, other := range others {
		w.Map(3)
		s.writePermissions(other)
	}
}

func (s *session) writePermissions(p users.Permissions) {
	for _, pair := range [][2]string{{"commands", p.Commands}, {"keys", p.Keys}, {"channels", p.Channels}} {
		s.p.w.Bulk(pair[0])
		s.p.w.Bulk(pair[1])
	}
}

func aclCat(s *session, args [][]byte) {
	w := &s.p.w
	switch len(args) {
	case 2:
		names := command.Categories(1<<32 - 1).Names()
		w.Array(len(names))
		for _, name := range names {
			w.Bulk(name[1:])
		}
	case 3:
		category := command.CategoryByName(string(args[2]))
		if category == 0 {
			s.fail("ERR Unknown category " + command.Quote(args[2]) + "")
			return
		}
		var names []string
		for _, row := range command.Rows() {
			if row.Categories&category != 0 && row.ID != command.CmdLarder && row.Parent != command.CmdLarder {
				names = append(names, row.Name)
			}
		}
		w.Array(len(names))
		for _, name := range names {
			w.Bulk(name)
		}
	default:
		s.fail(command.ArityError(command.ByID(command.CmdACLCat)))
	}
}

func aclGenPass(s *session, args [][]byte) {
	const bitsDefault, bitsMax = 256, 4096
	bits := int64(bitsDefault)
	if len(args) > 3 {
		s.fail(command.ArityError(command.ByID(command.CmdACLGenPass)))
		return
	}
	if len(args) == 3 {
		var wrong string
		if bits, wrong = client.ParseNumber(string(args[2]), math.MinInt64, math.MaxInt64); wrong != "" {
			s.fail(errNotInt)
			return
		}
		if bits < 1 || bits > bitsMax {
			s.fail("ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096")
			return
		}
	}
	raw := make([]byte, (bits+7)/8)
	_, _ = rand.Read(raw) // it never fails
	s.p.w.Bulk(hex.EncodeToString(raw)[:(bits+3)/4])
}

func aclDryRun(s *session, args [][]byte) {
	u := s.p.users.Get(string(args[2]))
	if u == nil {
		s.fail("ERR User " + command.Quote(args[2]) + " not found")
		return
	}
	row, wrong := command.Resolve(args[3:])
	switch {
	case row == nil && command.Lookup(args[3]) == nil:
		s.fail("ERR Command " + command.Quote(args[3]) + " not found")
		return
	case row == nil:
		s.fail(wrong)
		return
	case !row.ArityOK(len(args) - 3):
		s.fail(command.ArityError(row))
		return
	}
	switch v, at := u.Check(row, args[3:]); v {
	case users.Allowed:
		s.ok()
	case users.DeniedCommand:
		s.p.w.Bulk("User " + u.Name + " has no permissions to run the '" + row.Name + "' command")
	case users.DeniedKey:
		s.p.w.Bulk("User " + u.Name + " has no permissions to access the '" + string(args[3+at]) + "' key")
	default:
		s.p.w.Bulk("User " + u.Name + " has no permissions to access the '" + string(args[3+at]) + "' channel")
	}
}

func aclSave(s *session, _ [][]byte) {
	file := s.p.n.opts.ACLFile
	if file == "" {
		s.fail(errNoACLFile)
		return
	}
	if err := writeWhole(file, s.p.users.Text()); err != nil {
		s.p.n.log.Error("ACL SAVE failed", "file", file, "err", err)
		s.fail("ERR There was an error trying to save the ACLs. Please check the server logs for more information")
		return
	}
	s.ok()
}

// writeWhole replaces a file, so that whoever reads it sees the old content or the new.
func writeWhole(file, content string) error {
	const ownerOnly = 0o600
	next := file + ".new"
	if err := os.WriteFile(next, []byte(content), ownerOnly); err != nil {
		return fmt.Errorf("write users: %w", err)
	}
	if err := os.Rename(next, file); err != nil {
		return fmt.Errorf("write users: %w", err)
	}
	return nil
}

// aclLoad takes the users from their file. With an error nothing has changed.
func aclLoad(s *session, _ [][]byte) {
	file := s.p.n.opts.ACLFile
	if file == "" {
		s.fail(errNoACLFile)
		return
	}
	all, err := LoadUsers(file)
	if err != nil {
		s.fail("ERR " + strings.ReplaceAll(err.Error(), "\n", ". ") + ". WARNING: ACL errors detected, no change to the previously active ACL rules was performed")
		return
	}
	before := s.p.users
	s.p.users = all
	for _, name := range before.Names() {
		if u := all.Get(name); u != nil {
			s.p.userChanged(u, s)
		} else {
			s.p.userGone(name, s)
		}
	}
	s.ok()
}

// LoadUsers reads a file of users.
func LoadUsers(file string) (*users.Users, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read users: %w", err)
	}
	return users.Parse(file, string(text))
}

func aclLog(s *session, args [][]byte) {
	const countDefault = 10
	count := int64(countDefault)
	switch {
	case len(args) > 3:
		s.fail(command.ArityError(command.ByID(command.CmdACLLog)))
		return
	case len(args) == 3 && strings.EqualFold(string(args[2]), "reset"):
		s.p.aclLog.entries = nil
		s.ok()
		return
	case len(args) == 3:
		var wrong string
		if count, wrong = client.ParseNumber(string(args[2]), math.MinInt64, math.MaxInt64); wrong != "" {
			s.fail(errNotInt)
			return
		}
	}
	entries := s.p.aclLog.entries
	entries = entries[:min(len(entries), int(max(0, min(count, int64(len(entries))))))]
	s.p.w.Array(len(entries))
	for _, e := range entries {
		e.write(s)
	}
}

var aclHandlers = map[command.ID]hereFunc{
	command.CmdACLWhoAmI: aclWhoAmI, command.CmdACLUsers: aclUsers, command.CmdACLList: aclList, command.CmdACLSetUser: aclSetUser,
	command.CmdACLDelUser: aclDelUser, command.CmdACLGetUser: aclGetUser, command.CmdACLCat: aclCat, command.CmdACLGenPass: aclGenPass,
	command.CmdACLDryRun: aclDryRun, command.CmdACLSave: aclSave, command.CmdACLLoad: aclLoad, command.CmdACLLog: aclLog,
}
