// Package client is what a gateway and a node have in common about their own clients: the line of CLIENT LIST, whom CLIENT KILL and CLIENT LIST
// choose, what CLIENT PAUSE holds back, names, and how CONFIG GET and SET find and change parameters. Each answers with an error's whole line, without
// the leading minus, in the words of Redis 7.0 (networking.c, config.c).
//
// What must hold: everything here only computes. Nothing is kept between calls and nothing is shared, so any goroutine may call it.
package client

import "strconv"

// Info is what CLIENT LIST tells of a client.
type Info struct {
	ID            uint64
	Peer, Local   string // ip:port
	FD            int
	Name          string
	User          string
	AgeS, IdleS   int64 // since it came, and since it said something; seconds
	Flags         string
	Channels      int // that it is subscribed to
	Patterns      int
	ShardChannels int
	Tracking      bool  // CLIENT TRACKING is on
	Redirect      int64 // to this client, 0 = to none
	InMulti       bool  // it has said MULTI
	Multi         int   // commands that it queued since
	MultiBytes    int   // of their arguments
	DB            int
	InputBytes    int // received and not yet run
	Replies       int // that wait to be written
	OutputBytes   int // of replies that wait
	Command       string
	Proto         int
	LibName       string
	LibVersion    string
}

// AppendLine appends the client's line, line end included (Redis 7.2 networking.c, catClientInfoString). What neither a gateway nor a node has is 0.
func (i *Info) AppendLine(dst []byte) []byte {
	text := func(name, value string) {
		dst = append(dst, name...)
		dst = append(dst, value...)
	}
	number := func(name string, n int64) {
		dst = append(dst, name...)
		dst = strconv.AppendInt(dst, n, 10)
	}
	number("id=", int64(i.ID))
	text(" addr=", i.Peer)
	text(" laddr=", i.Local)
	number(" fd=", int64(i.FD))
	text(" name=", i.Name)
	number(" age=", i.AgeS)
	number(" idle=", i.IdleS)
	text(" flags=", i.Flags)
	number(" db=", int64(i.DB))
	number(" sub=", int64(i.Channels))
	number(" psub=", int64(i.Patterns))
	number(" ssub=", int64(i.ShardChannels))
	if i.InMulti {
		number(" multi=", int64(i.Multi))
	} else {
		text(" multi=-1", "")
	}
	number(" qbuf=", int64(i.InputBytes))
	text(" qbuf-free=0 argv-mem=0", "")
	number(" multi-mem=", int64(i.MultiBytes))
	text(" rbs=0 rbp=0 obl=0", "")
	number(" oll=", int64(i.Replies))
	number(" omem=", int64(i.OutputBytes))
	number(" tot-mem=", int64(i.InputBytes+i.MultiBytes+i.OutputBytes))
	if i.OutputBytes > 0 {
		text(" events=rw", "")
	} else {
		text(" events=r", "")
	}
	text(" cmd=", orNull(i.Command))
	text(" user=", i.User)
	if i.Tracking {
		number(" redir=", i.Redirect)
	} else {
		text(" redir=-1", "")
	}
	number(" resp=", int64(i.Proto))
	text(" lib-name=", i.LibName)
	text(" lib-ver=", i.LibVersion)
	return append(dst, '\n')
}

func orNull(command string) string {
	if command == "" {
		return "NULL"
	}
	return command
}
