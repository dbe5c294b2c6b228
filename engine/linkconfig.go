package engine

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"larder/protocol/client"
)

// linkSettings are those of a node that follows another.
type linkSettings struct {
	user, password string // what it logs in with; no password: it does not
	readOnly       bool   // clients may not write
	stale          bool   // clients are answered while the primary's stream does not come
	priority       int64  // the lower, the sooner an observer makes it the primary; 0 = never
	announced      bool   // such an observer may tell clients of it
	ip             string // its address as the primary tells it to others; "" = the connection's
	port           int64  // its port likewise; 0 = where it listens
}

func linkSettingsOf(o *Options) linkSettings {
	return linkSettings{
		user: o.MasterUser, password: o.MasterAuth, readOnly: o.ReplicaReadOnly, stale: o.ReplicaServeStale, priority: priorityDefault, announced: true,
	}
}

const priorityDefault = 100

// linkParameters are the parameters of a replica, under both of their names.
func linkParameters() (all client.Parameters[*session, settings]) {
	text := func(name string, at func(*linkSettings) *string) {
		all = append(all, client.Parameter[*session, settings]{
			Name: name,
			Get:  func(s *session) string { return *at(&s.p.set.link) },
			Set: func(set *settings, value string) string {
				*at(&set.link) = value
				return ""
			},
		})
	}
	at := func(field func(*linkSettings) *int64) func(*settings) *int64 {
		return func(s *settings) *int64 { return field(&s.link) }
	}
	flag := func(field func(*linkSettings) *bool) func(*settings) *bool {
		return func(s *settings) *bool { return field(&s.link) }
	}
	text("masterauth", func(l *linkSettings) *string { return &l.password })
	text("masteruser", func(l *linkSettings) *string { return &l.user })
	for _, who := range []string{"replica", "slave"} {
		text(who+"-announce-ip", func(l *linkSettings) *string { return &l.ip })
		all = append(all,
			client.Parameter[*session, settings]{Name: who + "of", Get: primaryParameter},
			within(who+"-announce-port", 0, portMax, at(func(l *linkSettings) *int64 { return &l.port })),
			between(who+"-priority", 0, at(func(l *linkSettings) *int64 { return &l.priority })),
			yesNo(who+"-read-only", flag(func(l *linkSettings) *bool { return &l.readOnly })),
			yesNo(who+"-serve-stale-data", flag(func(l *linkSettings) *bool { return &l.stale })),
		)
	}
	return append(all, yesNo("replica-announced", flag(func(l *linkSettings) *bool { return &l.announced })))
}

// primaryParameter is whom the node follows.
func primaryParameter(s *session) string {
	if k := s.p.link; k != nil {
		return k.host + " " + strconv.Itoa(k.port)
	}
	return ""
}

// silence is how long a primary may say nothing.
func (p *part) silence() time.Duration { return time.Duration(p.set.repl.timeoutS) * time.Second }

// CheckPrimary says what is wrong with the value of replicaof.
func CheckPrimary(text string) error {
	if _, _, ok := parsePrimary(text); !ok && text != "" {
		return errors.New(`must be the primary's host and port, as in "10.0.0.7 6379"`)
	}
	return nil
}

// parsePrimary reads "host port", as --replicaof has it.
func parsePrimary(text string) (host string, port int, ok bool) {
	words := strings.Fields(text)
	if len(words) != 2 {
		return "", 0, false
	}
	n, err := strconv.ParseUint(words[1], 10, 16)
	return words[0], int(n), err == nil && n > 0
}
