package engine

import (
	"larder/protocol/client"
	"larder/protocol/command"
)

// hereFunc answers a command that the node answers itself: what package commands has no handler for.
type hereFunc func(s *session, args [][]byte)

// buildHere gives them by command.ID.
func buildHere() []hereFunc {
	table := make([]hereFunc, command.NumIDs+1)
	for id := range table {
		row := command.ByID(command.ID(id))
		if row == nil {
			continue
		}
		switch row.Parent {
		case command.CmdCluster:
			table[id] = noCluster
		case command.CmdCommand:
			table[id] = answerCommand
		default:
			table[id] = help
		}
	}
	for id, f := range map[command.ID]hereFunc{
		command.CmdPing: ping, command.CmdEcho: echo, command.CmdHello: hello, command.CmdAuth: auth, command.CmdSelect: selectDB,
		command.CmdQuit: quit, command.CmdReset: reset, command.CmdTime: timeOfDay, command.CmdShutdown: shutdown, command.CmdInfo: info,
		command.CmdCommand: answerCommand, command.CmdReadOnly: noCluster, command.CmdReadWrite: noCluster, command.CmdAsking: noCluster,

		command.CmdMulti: multi, command.CmdExec: exec, command.CmdDiscard: discard, command.CmdWatch: watch, command.CmdUnwatch: unwatch,
		command.CmdSwapDB: swapDB, command.CmdMonitor: monitor, command.CmdWait: wait, command.CmdWaitAOF: waitAOF, command.CmdDebug: debug,
		command.CmdClientTracking: clientTracking, command.CmdClientCaching: clientCaching, command.CmdClientGetRedir: clientGetRedir,
		command.CmdClientTrackingInfo: clientTrackingInfo,

		command.CmdSubscribe: subscribe, command.CmdPSubscribe: pSubscribe, command.CmdSSubscribe: sSubscribe,
		command.CmdUnsubscribe: unsubscribe, command.CmdPUnsubscribe: pUnsubscribe, command.CmdSUnsubscribe: sUnsubscribe,
		command.CmdPublish: publish, command.CmdSPublish: sPublish, command.CmdPubSubChannels: pubsubChannels, command.CmdPubSubNumSub: pubsubNumSub,
		command.CmdPubSubNumPat: pubsubNumPat, command.CmdPubSubShardChannels: pubsubShardChannels, command.CmdPubSubShardNumSub: pubsubShardNumSub,

		command.CmdClientID: clientID, command.CmdClientInfo: clientInfo, command.CmdClientList: clientList,
		command.CmdClientSetName: clientSetName, command.CmdClientGetName: clientGetName, command.CmdClientSetInfo: clientSetInfo,
		command.CmdClientNoEvict: clientNoEvict, command.CmdClientNoTouch: clientNoTouch, command.CmdClientReply: clientReply,
		command.CmdClientKill: clientKill, command.CmdClientPause: clientPause, command.CmdClientUnpause: clientUnpause, command.CmdClientUnblock: clientUnblock,

		command.CmdSlowLogGet: slowLogGet, command.CmdSlowLogLen: slowLogLen, command.CmdSlowLogReset: slowLogReset,
		command.CmdLatencyDoctor: latencyDoctor, command.CmdLatencyGraph: latencyGraph, command.CmdLatencyHistogram: latencyHistogram,
		command.CmdLatencyHistory: latencyHistory, command.CmdLatencyLatest: latencyLatest, command.CmdLatencyReset: latencyReset,
		command.CmdSave: save, command.CmdBgSave: bgSave, command.CmdBgRewriteAOF: bgRewriteAOF, command.CmdLastSave: lastSave, command.CmdRole: role, command.CmdLolwut: lolwut,
		command.CmdPSync: psync, command.CmdSync: syncFully, command.CmdReplConf: replConf, command.CmdFailover: failOver,
		command.CmdReplicaOf: replicaOf, command.CmdSlaveOf: replicaOf,

		command.CmdMemoryDoctor: memoryDoctor, command.CmdMemoryMallocStats: memoryMallocStats, command.CmdMemoryPurge: memoryPurge,
		command.CmdMemoryStats: memoryStats,

		command.CmdConfigGet: configGet, command.CmdConfigSet: configSet, command.CmdConfigResetStat: configResetStat, command.CmdConfigRewrite: configRewrite,

		command.CmdLarderHello: larderHello, command.CmdLarderTerm: larderTerm, command.CmdLarderAssign: larderAssign,
		command.CmdLarderSubscribers: larderSubscribers, command.CmdLarderAs: larderAs, command.CmdLarderSlots: larderSlots, command.CmdLarderUser: larderUser,
		command.CmdLarderEar: larderEar, command.CmdLarderMark: larderMark, command.CmdLarderAfter: larderAfter, command.CmdLarderPublishes: larderPublishes,
		command.CmdLarderWrote: larderWrote, command.CmdLarderStamps: larderStamps, command.CmdLarderAt: larderAt,
		command.CmdLarderRecord: larderRecord, command.CmdLarderPromise: larderPromise, command.CmdLarderState: larderState,
		command.CmdLarderShared: larderShared,
		command.CmdLarderLane:   larderLane, command.CmdLarderEnded: larderEnded, command.CmdLarderForget: larderForget,
		command.CmdLarderErrand: larderErrand, command.CmdLarderGive: larderGive, command.CmdLarderGiven: larderGiven, command.CmdLarderAsk: larderAsk,
	} {
		table[id] = f
	}
	for id, f := range scriptHandlers {
		table[id] = f
	}
	for id, f := range aclHandlers {
		table[id] = f
	}
	return table
}

const errNotInt = "ERR value is not an integer or out of range"

// The helpers of handlers: each writes one reply.

func (s *session) ok()             { s.p.w.OK() }
func (s *session) fail(err string) { s.p.w.Error(err) }

// okUnless answers a command that has succeeded if wrong is empty.
func (s *session) okUnless(wrong string) {
	if wrong != "" {
		s.fail(wrong)
		return
	}
	s.ok()
}

func help(s *session, args [][]byte) { command.Help(&s.p.w, command.Lookup(args[0])) }

func answerCommand(s *session, args [][]byte) { command.Answer(&s.p.w, args) }

// noCluster: a node is a plain server to whoever is no gateway.
func noCluster(s *session, _ [][]byte) { s.fail("ERR This instance has cluster support disabled") }

func echo(s *session, args [][]byte) { s.p.w.BulkBytes(args[1]) }

func selectDB(s *session, args [][]byte) {
	db, wrong := client.ParseDB(args[1], s.p.store.Databases())
	if wrong == "" {
		s.useDB(db)
	}
	s.okUnless(wrong)
}

func quit(s *session, _ [][]byte) {
	s.ok()
	s.closing = true
}

// reset makes the connection as it was when it came (Redis 7.0 networking.c, resetCommand); a CLIENT REPLY OFF ends before the answer.
func reset(s *session, _ [][]byte) {
	if s.mute == muteOn {
		s.hushed = false
	}
	s.mute = muteOff
	s.endMulti()
	s.leaveAll()
	s.untrack()
	s.endMonitor()
	s.useDB(0)
	s.name = ""
	s.noEvict, s.noTouch = false, false
	s.beDefault()
	s.p.w.Status("RESET")
	s.setProto(2)
}

// setProto changes the version of the protocol, from the next reply on.
func (s *session) setProto(version int) { s.proto, s.p.w.Proto = version, version }

func (s *session) setAuthed(authed bool) {
	s.authed = authed
	s.requests.SetLimits(s.p.limits(authed))
}

func timeOfDay(s *session, _ [][]byte) {
	p := s.p
	us := p.base.UnixMicro() + p.nowNS/1000
	p.w.Array(2)
	p.w.BulkInt(us / 1e6)
	p.w.BulkInt(us % 1e6)
}

// shutdown ends Run. With save points, or if it says so, it saves first, and does not end the node if that fails (Redis 7.0 server.c, finishShutdown).
func shutdown(s *session, args [][]byte) {
	o, ok := parseShutdown(args[1:])
	switch {
	case !ok:
		s.fail(errSyntax)
	case o.abort:
		s.fail("ERR No shutdown in progress.")
	case s.p.scripts.busy != nil && !o.noSave:
		s.fail(s.p.scripts.busy.busyText())
	case !s.p.saveToEnd(o):
		s.fail("ERR Errors trying to SHUTDOWN. Check logs.")
	default:
		s.p.n.log.Info("shutdown asked for", "node", s.p.n.id, "client", s.c.Peer().String())
		s.hushed, s.closing = true, true
		s.p.n.stop()
	}
}

type shutdownOptions struct{ save, noSave, now, force, abort bool }

// parseShutdown reads SHUTDOWN's words (Redis 7.0 db.c, shutdownCommand).
func parseShutdown(words [][]byte) (o shutdownOptions, ok bool) {
	for _, word := range words {
		switch lower(word) {
		case "save":
			o.save = true
		case "nosave":
			o.noSave = true
		case "now":
			o.now = true
		case "force":
			o.force = true
		case "abort":
			o.abort = true
		default:
			return o, false
		}
	}
	return o, !(o.save && o.noSave) && !(o.abort && (o.save || o.noSave || o.now || o.force))
}
