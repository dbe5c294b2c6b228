package engine

import (
	"crypto/rand"
	"fmt"
	"os"
	"strings"

	"larder/access/acl"
	"larder/access/users"
	"larder/process/files"
	"larder/protocol/command"
)

// The users of a node and what they may do (ACL). They live on the node's loop.

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
	return s.judgeAs(s.user, row, args)
}

func (s *session) judgeAs(u *users.User, row *command.Row, args [][]byte) users.Verdict {
	v, at := u.Check(row, args)
	switch v {
	case users.Allowed:
	case users.DeniedCommand:
		s.noteRefusal("command", row.Name, u.Name)
	case users.DeniedKey:
		s.noteRefusal("key", string(args[at]), u.Name)
	default:
		s.noteRefusal("channel", string(args[at]), u.Name)
	}
	return v
}

// denied is the error of a command that the session's user may not run, "" if it may.
func (s *session) denied(row *command.Row, args [][]byte) string {
	return acl.Denied(s.user, row, s.judge(row, args))
}

func aclWhoAmI(s *session, _ [][]byte) { s.p.w.Bulk(s.user.Name) }

func aclUsers(s *session, _ [][]byte) { acl.Users(&s.p.w, s.p.users) }

func aclList(s *session, _ [][]byte) { acl.List(&s.p.w, s.p.users) }

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
		s.end()
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

func aclGetUser(s *session, args [][]byte) { acl.GetUser(&s.p.w, s.p.users.Get(string(args[2]))) }

func aclCat(s *session, args [][]byte) { acl.Cat(&s.p.w, args, nil) }

func aclGenPass(s *session, args [][]byte) {
	acl.GenPass(&s.p.w, args, func(raw []byte) { _, _ = rand.Read(raw) }) // it never fails
}

func aclDryRun(s *session, args [][]byte) { acl.DryRun(&s.p.w, s.p.users, args, nil) }

func aclSave(s *session, _ [][]byte) {
	file := s.p.n.opts.ACLFile
	if file == "" {
		s.fail(acl.NoFile)
		return
	}
	if err := files.Replace(file, s.p.users.Text()); err != nil {
		s.p.n.log.Error("ACL SAVE failed", "file", file, "err", err)
		s.fail(acl.NotSaved)
		return
	}
	s.ok()
}

// aclLoad takes the users from their file. With an error nothing has changed.
func aclLoad(s *session, _ [][]byte) {
	file := s.p.n.opts.ACLFile
	if file == "" {
		s.fail(acl.NoFile)
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
	return users.Parse(file, string(text), false)
}

func aclLog(s *session, args [][]byte) {
	ask, wrong := acl.ParseAsk(args)
	switch {
	case wrong != "":
		s.fail(wrong)
	case ask.Reset:
		s.p.aclLog.Reset()
		s.ok()
	default:
		ask.Write(&s.p.w, s.p.aclLog.Entries(), s.p.nowMS)
	}
}

// noteRefusal keeps in ACL LOG what was refused to a session.
func (s *session) noteRefusal(reason, object, user string) {
	context := "toplevel"
	if s.state&inMulti != 0 {
		context = "multi"
	}
	s.p.aclLog.Note(acl.Refusal{Reason: reason, Context: context, Object: object, User: user, Client: s.info()}, s.p.nowMS, func() int64 {
		s.p.refusals++
		return s.p.refusals - 1
	})
}

var aclHandlers = map[command.ID]hereFunc{
	command.CmdACLWhoAmI: aclWhoAmI, command.CmdACLUsers: aclUsers, command.CmdACLList: aclList, command.CmdACLSetUser: aclSetUser,
	command.CmdACLDelUser: aclDelUser, command.CmdACLGetUser: aclGetUser, command.CmdACLCat: aclCat, command.CmdACLGenPass: aclGenPass,
	command.CmdACLDryRun: aclDryRun, command.CmdACLSave: aclSave, command.CmdACLLoad: aclLoad, command.CmdACLLog: aclLog,
}
