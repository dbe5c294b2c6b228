package engine

import (
	"strconv"

	"larder/protocol/client"
)

// replSettings are those of who follows the node, and of the node while it follows another.
type replSettings struct {
	backlogBytes int64
	backlogTTLS  int64 // the past is let go when no replica was here for so long; 0 = never
	diskless     bool  // a copy goes to a replica as it is made, without a file between
	delayS       int64 // a copy begins so much after the first replica has asked, so that others can share it
	delayMost    int64 // or when so many have asked; 0 = whatever their number
	pingS        int64
	timeoutS     int64
	wanted       int64 // min-replicas-to-write; 0 = writes need none
	lagMaxS      int64
}

func defaultReplSettings() replSettings {
	return replSettings{backlogBytes: 1 << 20, backlogTTLS: 3600, diskless: true, pingS: 10, timeoutS: 60, lagMaxS: 10}
}

// replParameters are the parameters of replication that concern a primary. The delay is 0 and not Redis's 5 s: a copy costs no fork, and who asks while its
// beginning is still at hand joins in.
func replParameters() client.Parameters[*session, settings] {
	at := func(field func(*replSettings) *int64) func(*settings) *int64 {
		return func(s *settings) *int64 { return field(&s.repl) }
	}
	ping := at(func(r *replSettings) *int64 { return &r.pingS })
	wanted := at(func(r *replSettings) *int64 { return &r.wanted })
	lag := at(func(r *replSettings) *int64 { return &r.lagMaxS })
	return client.Parameters[*session, settings]{
		bytesOf("repl-backlog-size", 1, at(func(r *replSettings) *int64 { return &r.backlogBytes })),
		between("repl-backlog-ttl", 0, at(func(r *replSettings) *int64 { return &r.backlogTTLS })),
		yesNo("repl-diskless-sync", func(s *settings) *bool { return &s.repl.diskless }),
		between("repl-diskless-sync-delay", 0, at(func(r *replSettings) *int64 { return &r.delayS })),
		between("repl-diskless-sync-max-replicas", 0, at(func(r *replSettings) *int64 { return &r.delayMost })),
		between("repl-ping-replica-period", 1, ping),
		between("repl-ping-slave-period", 1, ping),
		between("repl-timeout", 1, at(func(r *replSettings) *int64 { return &r.timeoutS })),
		between("min-replicas-to-write", 0, wanted),
		between("min-slaves-to-write", 0, wanted),
		between("min-replicas-max-lag", 0, lag),
		between("min-slaves-max-lag", 0, lag),
	}
}

// bytesOf is a parameter that is a number of bytes.
func bytesOf(name string, least int64, at func(*settings) *int64) client.Parameter[*session, settings] {
	return client.Parameter[*session, settings]{
		Name: name,
		Get:  func(s *session) string { return strconv.FormatInt(*at(&s.p.set), 10) },
		Set: func(set *settings, value string) string {
			n, wrong := client.ParseMemory(value, least)
			if wrong == "" {
				*at(set) = n
			}
			return wrong
		},
	}
}
