// Package users are Redis's users and their rules (ACL): who may run which command on which keys and channels. It only decides and describes; whoever
// asks refuses the command and keeps the log.
//
// What must hold: rules, their order in descriptions and their errors are those of Redis 7.2 (acl.c's documented behaviour, redis.io "ACL"); a rule that is
// refused changes nothing; a User is never changed after Users handed it out, a change makes a new one, so that a session can keep its user and be told.
// Nothing here is safe for two goroutines that change.
package users

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// User is a name with its passwords and permissions. The first selector is the user's own, others come in parentheses.
type User struct {
	Name      string
	Enabled   bool
	NoPass    bool
	sanitize  bool // payloads of RESTORE are looked at closely; ours always are, so it is only kept
	passwords []string
	selectors []*selector
}

// newUser is a user as ACL SETUSER makes one of no rules: disabled, and may do nothing.
func newUser(name string, foreign bool) *User {
	return &User{Name: name, sanitize: true, selectors: []*selector{newSelector(foreign)}}
}

func (u *User) clone() *User {
	c := *u
	c.passwords = slices.Clone(u.passwords)
	c.selectors = make([]*selector, len(u.selectors))
	for i, s := range u.selectors {
		c.selectors[i] = s.clone()
	}
	return &c
}

// with gives the user changed by rules.
func (u *User) with(rules []string) (*User, error) {
	c := u.clone()
	for _, word := range rules {
		if reason := c.set(word); reason != "" {
			return nil, fmt.Errorf("Error in ACL SETUSER modifier '%s': %s", word, reason) //nolint:staticcheck // Redis's words, which clients see
		}
	}
	return c, nil
}

// set applies one rule and says why it cannot be ("" = done).
func (u *User) set(word string) string {
	switch lower := strings.ToLower(word); {
	case lower == "on":
		u.Enabled = true
	case lower == "off":
		u.Enabled = false
	case lower == "nopass":
		u.NoPass, u.passwords = true, nil
	case lower == "resetpass":
		u.NoPass, u.passwords = false, nil
	case lower == "sanitize-payload":
		u.sanitize = true
	case lower == "skip-sanitize-payload":
		u.sanitize = false
	case lower == "reset":
		*u = *newUser(u.Name, u.selectors[0].foreign)
	case lower == "clearselectors":
		u.selectors = u.selectors[:1]
	case word == "":
		return errSyntax
	case strings.IndexByte("><#!", word[0]) >= 0:
		return u.password(word)
	case word[0] == '(' && strings.HasSuffix(word, ")"):
		return u.addSelector(word[1 : len(word)-1])
	default:
		return u.selectors[0].set(word)
	}
	return ""
}

// password takes >password, #hash, <password and !hash.
func (u *User) password(word string) string {
	hash := word[1:]
	if word[0] == '>' || word[0] == '<' {
		sum := sha256.Sum256([]byte(word[1:]))
		hash = hex.EncodeToString(sum[:])
	} else if !isHash(hash) {
		return errHash
	}
	at := slices.Index(u.passwords, hash)
	if word[0] == '>' || word[0] == '#' {
		if at < 0 {
			u.passwords = append(u.passwords, hash)
		}
		u.NoPass = false
		return ""
	}
	if at < 0 {
		return errPasswordUnknown
	}
	u.passwords = slices.Delete(u.passwords, at, at+1)
	return ""
}

func isHash(s string) bool {
	return len(s) == 2*sha256.Size && strings.Trim(s, "0123456789abcdef") == ""
}

func (u *User) addSelector(rules string) string {
	s := newSelector(u.selectors[0].foreign)
	for _, word := range strings.Fields(rules) {
		if strings.HasSuffix(word, ")") {
			return errSyntax // its description would end there
		}
		if reason := s.set(word); reason != "" {
			return reason
		}
	}
	u.selectors = append(u.selectors, s)
	return ""
}

// Admits reports whether the user is enabled and the password is one of its own. It takes as long whichever it is.
func (u *User) Admits(password []byte) bool {
	sum := sha256.Sum256(password)
	given := []byte(hex.EncodeToString(sum[:]))
	ok := 0
	for _, p := range u.passwords {
		ok |= subtle.ConstantTimeCompare(given, []byte(p))
	}
	return u.Enabled && (u.NoPass || ok == 1)
}

// Flags are the user's as ACL GETUSER lists them.
func (u *User) Flags() []string {
	flags := []string{"off"}
	if u.Enabled {
		flags[0] = "on"
	}
	if u.NoPass {
		flags = append(flags, "nopass")
	}
	if u.sanitize {
		return append(flags, "sanitize-payload")
	}
	return append(flags, "skip-sanitize-payload")
}

// Passwords are the hashes, SHA-256 in hex.
func (u *User) Passwords() []string { return u.passwords }

// Permissions describe one selector.
type Permissions struct{ Commands, Keys, Channels string }

// Selectors describe the user's own permissions, and those in parentheses.
func (u *User) Selectors() (own Permissions, others []Permissions) {
	all := make([]Permissions, len(u.selectors))
	for i, s := range u.selectors {
		all[i] = Permissions{Commands: s.commandRules(), Keys: s.keyRules(), Channels: s.channelRules()}
	}
	return all[0], all[1:]
}

// Text is the user as ACL LIST shows it and an ACL file keeps it, without the leading "user".
func (u *User) Text() string {
	words := append([]string{u.Name}, u.Flags()...)
	for _, p := range u.passwords {
		words = append(words, "#"+p)
	}
	words = append(words, u.selectors[0].text())
	for _, s := range u.selectors[1:] {
		words = append(words, "("+s.text()+")")
	}
	return strings.Join(words, " ")
}

// Rights are the rules of what the user may do, without what lets it in: with Of they make a user who may do the same.
func (u *User) Rights() []string {
	var rules []string
	for i, s := range u.selectors {
		if i == 0 {
			rules = append(rules, ours(strings.Fields(s.text()))...)
		} else {
			rules = append(rules, "("+strings.Join(ours(strings.Fields(s.text())), " ")+")")
		}
	}
	return rules
}

// Unlimited reports whether the user may do everything, so that nothing need be asked.
func (u *User) Unlimited() bool {
	s := u.selectors[0]
	return s.future && len(s.rules) == 0 && s.allKeys && s.allChannels
}

// ReadsAll reports whether the user may read any key.
func (u *User) ReadsAll() bool {
	return slices.ContainsFunc(u.selectors, func(s *selector) bool { return s.allKeys })
}
