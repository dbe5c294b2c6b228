package engine

import (
	"larder/protocol/command"
)

// guard is what of the node's own state keeps commands from running. It is 0 on the usual way, and then the bit guarded of part.state is not set.
type guard uint8

const (
	guardLoading  guard = 1 << iota // data is being loaded
	guardDisk                       // the data cannot be saved: writes wait until it can
	guardJournal                    // the journal cannot be written: writes wait until it can
	guardReplicas                   // fewer replicas than min-replicas-to-write are there for a write
	guardReadOnly                   // the node follows another: writes are that one's
	guardStale                      // the primary's stream does not come, and clients are not to see what is here
	guardShard                      // a managed node does not serve by its shard's record, or not everybody
	guardMembers                    // its shard's set has too few members for a write
)

const (
	textLoading = "LOADING Redis is loading the dataset in memory"
	textDisk    = "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that may modify the data set are" +
		" disabled, because this instance is configured to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please" +
		" check the Redis logs for details about the RDB error."
	textReadOnly       = "READONLY You can't write against a read only replica."
	textReadOnlyScript = "READONLY Can not run script with write flag on readonly replica."
	textStale          = "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."
	textStaleScript    = "MASTERDOWN Link with MASTER is down, replica-serve-stale-data is set to 'no' and 'allow-stale' flag is not set on the script."
	textReplicas       = "NOREPLICAS Not enough good replicas to write."

	textDiskScript = "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Writable scripts are blocked. Use" +
		" 'no-writes' flag for read only scripts."
)

// setGuard sets or takes away bits.
func (p *part) setGuard(bits guard, on bool) {
	if on {
		p.guard |= bits
	} else {
		p.guard &^= bits
	}
	if p.state &^= guarded; p.guard != 0 {
		p.state |= guarded
	}
}

// guardedFrom is the error of a command that the node's state does not allow, "" if it does (Redis 7.0 server.c, processCommand).
func (p *part) guardedFrom(s *session, row *command.Row) string {
	if p.reign != nil {
		if text, judged := p.reign.refuses(s, row); judged {
			return text
		}
	}
	switch {
	case p.guard&guardDisk != 0 && (s.mayWrite(row) || row.ID == command.CmdPing) && !p.call.Obeys:
		return textDisk
	case p.guard&guardJournal != 0 && (s.mayWrite(row) || row.ID == command.CmdPing) && !p.follows():
		return p.writing.wrong()
	case p.guard&guardReplicas != 0 && s.mayWrite(row):
		return textReplicas
	case p.guard&guardReadOnly != 0 && s.mayWrite(row):
		return textReadOnly
	case p.guard&guardStale != 0 && s.lacks(row, command.Stale):
		return textStale
	case p.guard&guardLoading != 0 && s.lacks(row, command.Loading) && !p.leavesPrimary(row):
		return textLoading
	}
	return ""
}

// mayWrite tells whether a command may change data; EXEC is what it runs.
func (s *session) mayWrite(row *command.Row) bool {
	return row.Flags.Has(command.Write) || row.ID == command.CmdExec && s.tx.flags.Has(command.Write)
}

// lacks tells whether a command does not have a flag; EXEC has not what one of the commands that it runs has not.
func (s *session) lacks(row *command.Row, flag command.Flags) bool {
	return !row.Flags.Has(flag) || row.ID == command.CmdExec && s.tx.lacks.Has(flag)
}

// guardedScript is the error of a command of a script, or with nil of a script that does not say that it writes nothing.
func (p *part) guardedScript(row *command.Row) string {
	switch {
	case row == nil && p.guard&guardReadOnly != 0:
		return textReadOnlyScript
	case row == nil && p.guard&guardDisk != 0:
		return textDiskScript
	case row != nil && p.guard&guardStale != 0 && !row.Flags.Has(command.Stale):
		return textStale
	case row != nil && !row.Flags.Has(command.Write):
		return ""
	case p.guard&guardJournal != 0:
		return p.writing.wrong()
	case p.guard&guardDisk != 0:
		return textDisk
	case p.guard&(guardReplicas|guardMembers) != 0:
		return textReplicas
	case p.guard&guardReadOnly != 0:
		return textReadOnly
	}
	return ""
}

// staleScript is why a script may not run while the primary's stream does not come, "" if it may.
func (j *job) staleScript() string {
	switch {
	case j.p.guard&guardStale == 0 || j.flags&flagAllowStale != 0:
		return ""
	case j.flags&flagDeclared == 0:
		return textStale
	}
	return textStaleScript
}
