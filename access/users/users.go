package users

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// DefaultName is the user of who has not said another.
const DefaultName = "default"

// Users are all users of a server.
type Users struct {
	byName  map[string]*User
	foreign bool // rules may name commands that the table lacks
}

// New gives the users of a fresh server: the default user may do everything, and needs a password if there is one.
func New(password string) *Users {
	all := &Users{byName: map[string]*User{}}
	rules := []string{"on", "nopass", "~*", "&*", "+@all"}
	if password != "" {
		rules[1] = ">" + password
	}
	u, err := newUser(DefaultName, false).with(rules)
	if err != nil {
		panic("users: the default user: " + err.Error())
	}
	all.byName[DefaultName] = u
	return all
}

// Clone gives users that can be changed apart from these.
func (all *Users) Clone() *Users { return &Users{byName: maps.Clone(all.byName), foreign: all.foreign} }

// Get gives a user, nil if there is none.
func (all *Users) Get(name string) *User { return all.byName[name] }

// Default is the default user.
func (all *Users) Default() *User { return all.byName[DefaultName] }

// Names are all users' names in order.
func (all *Users) Names() []string {
	names := make([]string, 0, len(all.byName))
	for name := range all.byName {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

var (
	errUserName   = errors.New("Usernames can't contain spaces or null characters") //nolint:staticcheck // Redis's words
	errNoDefault  = errors.New("The 'default' user cannot be removed")              //nolint:staticcheck // Redis's words
	errUnmatched  = "Unmatched parenthesis in acl selector starting at '%s'."
	errLineSyntax = "%s:%d: line must start with the 'user' keyword"
)

// Set changes a user, or makes one, by rules as ACL SETUSER takes them. With an error nothing has changed.
func (all *Users) Set(name string, rules []string) (*User, error) {
	if strings.ContainsAny(name, " \x00") {
		return nil, errUserName
	}
	rules, err := joinSelectors(rules)
	if err != nil {
		return nil, err
	}
	u := all.byName[name]
	if u == nil {
		u = newUser(name, all.foreign)
	}
	if u, err = u.with(rules); err != nil {
		return nil, err
	}
	all.byName[name] = u
	return u, nil
}

// Of is a user by itself, of rules as ACL SETUSER takes them.
func Of(name string, rules []string) (*User, error) {
	return (&Users{byName: map[string]*User{}}).Set(name, rules)
}

// joinSelectors makes one word of those from one that begins with a parenthesis to one that ends with one.
func joinSelectors(rules []string) ([]string, error) {
	var joined []string
	open := -1
	for i, word := range rules {
		if open < 0 && strings.HasPrefix(word, "(") {
			open = i
		}
		if open < 0 {
			joined = append(joined, word)
		} else if strings.HasSuffix(word, ")") {
			joined = append(joined, strings.Join(rules[open:i+1], " "))
			open = -1
		}
	}
	if open >= 0 {
		return nil, fmt.Errorf(errUnmatched, rules[open])
	}
	return joined, nil
}

// Delete removes users and gives those that were there. The default user stays: then nothing is removed.
func (all *Users) Delete(names []string) ([]*User, error) {
	if slices.Contains(names, DefaultName) {
		return nil, errNoDefault
	}
	var gone []*User
	for _, name := range names {
		if u := all.byName[name]; u != nil {
			gone = append(gone, u)
			delete(all.byName, name)
		}
	}
	return gone, nil
}

// Text is an ACL file of all users.
func (all *Users) Text() string {
	var b strings.Builder
	for _, name := range all.Names() {
		b.WriteString("user " + all.byName[name].Text() + "\n")
	}
	return b.String()
}

// Parse reads an ACL file. What it does not name is as in a fresh server: the default user. All that is wrong is told, line by line; file is its name in
// errors. foreign as TakeForeign.
func Parse(file, text string, foreign bool) (*Users, error) {
	all := New("")
	if foreign {
		all.TakeForeign()
	}
	seen := map[string]bool{}
	var wrong []error
	for i, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || strings.HasPrefix(words[0], "#"):
			continue
		case words[0] != "user" || len(words) < 2:
			wrong = append(wrong, fmt.Errorf(errLineSyntax, file, i+1))
			continue
		case seen[words[1]]:
			wrong = append(wrong, fmt.Errorf("%s:%d: user '%s' is named twice", file, i+1, words[1]))
			continue
		}
		seen[words[1]] = true
		if words[1] == DefaultName {
			all.byName[DefaultName] = newUser(DefaultName, foreign)
		}
		if _, err := all.Set(words[1], words[2:]); err != nil {
			wrong = append(wrong, fmt.Errorf("%s:%d: %w", file, i+1, err))
		}
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	return all, nil
}
