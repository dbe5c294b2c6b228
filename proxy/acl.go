package proxy

import (
	"crypto/rand"
	"fmt"
	"os"
	"strings"

	"larder/access/acl"
	"larder/access/users"
	"larder/process/files"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// aclHere answers ACL.
func (s *session) aclHere(row *command.Row, args [][]byte) {
	all := s.p.g.users.Load()
	switch row.ID {
	case command.CmdACLWhoAmI:
		s.say(row, func(w *resp.Writer) { w.Bulk(s.user.Name) })
	case command.CmdACLUsers:
		s.say(row, func(w *resp.Writer) { acl.Users(w, all) })
	case command.CmdACLList:
		s.say(row, func(w *resp.Writer) { acl.List(w, all) })
	case command.CmdACLGetUser:
		s.say(row, func(w *resp.Writer) { acl.GetUser(w, all.Get(string(args[2]))) })
	case command.CmdACLCat:
		s.say(row, func(w *resp.Writer) { acl.Cat(w, args, s.p.g.foreign.Load()) })
	case command.CmdACLGenPass:
		s.say(row, func(w *resp.Writer) {
			acl.GenPass(w, args, func(raw []byte) { _, _ = rand.Read(raw) }) // it never fails
		})
	case command.CmdACLDryRun:
		s.say(row, func(w *resp.Writer) { acl.DryRun(w, all, args, s.p.g.foreign.Load()) })
	case command.CmdACLSetUser:
		s.aclSetUser(row, args)
	case command.CmdACLDelUser:
		s.aclDelUser(row, args)
	case command.CmdACLSave:
		s.aclSave(row)
	case command.CmdACLLoad:
		s.aclLoad(row)
	case command.CmdACLLog:
		s.aclLog(row, args)
	default:
		s.help(row)
	}
}

// spreadUsers lets all loops take over the users as they are now, and then answers. This loop takes them over at once: the session's next command is
// judged by them.
func (s *session) spreadUsers(row *command.Row, gone []string, write func(*resp.Writer)) {
	seq := s.push(row)
	closeMe := s.p.usersChanged(gone, s)
	s.p.everywhere(func(p *part) {
		closeMe = p.usersChanged(gone, s) || closeMe
	}, func() {
		s.later(seq, write)
		if closeMe && !s.gone {
			s.finish()
		}
	})
}

func (s *session) aclSetUser(row *command.Row, args [][]byte) {
	rules := make([]string, 0, len(args)-3)
	for _, rule := range args[3:] {
		rules = append(rules, string(rule))
	}
	name := string(args[2])
	err := s.p.g.changeUsers(func(all *users.Users) error {
		_, err := all.Set(name, rules)
		return err
	})
	if err != nil {
		s.refuse(row, "ERR "+err.Error())
		return
	}
	s.spreadUsers(row, nil, (*resp.Writer).OK)
}

func (s *session) aclDelUser(row *command.Row, args [][]byte) {
	var names, gone []string
	for _, name := range args[2:] {
		names = append(names, string(name))
	}
	err := s.p.g.changeUsers(func(all *users.Users) error {
		deleted, err := all.Delete(names)
		gone = gone[:0]
		for _, u := range deleted {
			gone = append(gone, u.Name)
		}
		return err
	})
	if err != nil {
		s.refuse(row, "ERR "+err.Error())
		return
	}
	s.spreadUsers(row, gone, func(w *resp.Writer) { w.Int(int64(len(gone))) })
}

func (s *session) aclSave(row *command.Row) {
	file := s.p.opts.ACLFile
	if file == "" {
		s.refuse(row, acl.NoFile)
		return
	}
	if err := files.Replace(file, s.p.g.users.Load().Text()); err != nil {
		s.p.g.log.Error("ACL SAVE failed", "file", file, "err", err)
		s.refuse(row, acl.NotSaved)
		return
	}
	s.ok(row, nil)
}

// aclLoad takes the users from their file. With an error nothing has changed.
func (s *session) aclLoad(row *command.Row) {
	file := s.p.opts.ACLFile
	if file == "" {
		s.refuse(row, acl.NoFile)
		return
	}
	all, err := loadUsers(file)
	if err != nil {
		s.refuse(row, "ERR "+strings.ReplaceAll(err.Error(), "\n", ". ")+". WARNING: ACL errors detected, no change to the previously active ACL rules was performed")
		return
	}
	s.p.g.users.Store(all)
	s.spreadUsers(row, nil, (*resp.Writer).OK)
}

func loadUsers(file string) (*users.Users, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read users: %w", err)
	}
	return users.Parse(file, string(text), true)
}

// aclLog shows the refusals of all loops, or forgets them.
func (s *session) aclLog(row *command.Row, args [][]byte) {
	ask, wrong := acl.ParseAsk(args)
	if wrong != "" {
		s.refuse(row, wrong)
		return
	}
	var all []acl.Refusal
	seq := s.push(row)
	s.p.everywhere(func(p *part) {
		if ask.Reset {
			p.refusals.Reset()
		} else {
			all = append(all, p.refusals.Entries()...)
		}
	}, func() {
		s.later(seq, func(w *resp.Writer) {
			if ask.Reset {
				w.OK()
				return
			}
			ask.Write(w, acl.Joined(all, s.p.g.settings.Load().refusalsMax), s.p.g.nowMS(s.p.l.Now()))
		})
	})
}
