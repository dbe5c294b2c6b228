package engine

import (
	"fmt"
	"math"

	"larder/protocol/client"
)

// ReplicationOptions are about those who follow the node; repl-timeout also about whom it follows. Times are in seconds.
type ReplicationOptions struct {
	BacklogBytes       int64 // of the stream's newest part, kept for replicas that come back
	BacklogTTLS        int   // it is let go when no replica was here for so long; 0 = never
	Diskless           bool  // a copy of the data goes to replicas as it is made, without a file between
	DisklessDelayS     int   // a copy begins so much after the first replica has asked, so that others can share it
	PingS              int   // the stream has a PING each so much
	TimeoutS           int   // who says nothing for so long is given up
	MinReplicasToWrite int   // with fewer good replicas writes are refused; 0 = writes need none
	MinReplicasMaxLagS int   // a good one was heard of within so much; 0 = writes need none
}

// DefaultReplicationOptions are Redis's but for the delay, which is 0 and not 5 s: a copy costs no fork, and who asks while its beginning is still at hand
// joins in.
func DefaultReplicationOptions() ReplicationOptions {
	return ReplicationOptions{BacklogBytes: 1 << 20, BacklogTTLS: 3600, Diskless: true, PingS: 10, TimeoutS: 60, MinReplicasMaxLagS: 10}
}

// validate names the first field that cannot work, and what it must be.
func (o *ReplicationOptions) validate() error {
	for _, f := range []struct {
		name       string
		value, min int64
	}{
		{"repl-backlog-size", o.BacklogBytes, 1},
		{"repl-backlog-ttl", int64(o.BacklogTTLS), 0},
		{"repl-diskless-sync-delay", int64(o.DisklessDelayS), 0},
		{"repl-ping-replica-period", int64(o.PingS), 1},
		{"repl-timeout", int64(o.TimeoutS), 1},
		{"min-replicas-to-write", int64(o.MinReplicasToWrite), 0},
		{"min-replicas-max-lag", int64(o.MinReplicasMaxLagS), 0},
	} {
		if f.value < f.min || f.value > math.MaxInt32 && f.name != "repl-backlog-size" {
			return fmt.Errorf("%s is %d: must be at least %d, and no more than %d", f.name, f.value, f.min, math.MaxInt32)
		}
	}
	return nil
}

// replSettings are what CONFIG SET changes of that.
type replSettings struct {
	backlogBytes int64
	backlogTTLS  int64
	diskless     bool
	delayS       int64
	delayMost    int64 // a copy begins when so many have asked; 0 = whatever their number
	pingS        int64
	timeoutS     int64
	wanted       int64 // min-replicas-to-write
	lagMaxS      int64
}

func newReplSettings(o *ReplicationOptions) replSettings {
	return replSettings{
		backlogBytes: o.BacklogBytes, backlogTTLS: int64(o.BacklogTTLS), diskless: o.Diskless, delayS: int64(o.DisklessDelayS), pingS: int64(o.PingS),
		timeoutS: int64(o.TimeoutS), wanted: int64(o.MinReplicasToWrite), lagMaxS: int64(o.MinReplicasMaxLagS),
	}
}

// replParameters are the parameters of replication that concern a primary.
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
