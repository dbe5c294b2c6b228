// Package acl answers the subcommands of ACL that only look, and keeps what was refused lately: the same for a node and for a gateway, which each have
// users and sessions of their own (Redis 7.2 acl.c's documented behaviour).
//
// What must hold: nothing here changes a user. An error of an answer is written as the reply. A Log belongs to one goroutine.
package acl

import (
	"encoding/hex"
	"math"
	"slices"

	"larder/access/users"
	"larder/protocol/client"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// NoFile is the error of ACL SAVE and ACL LOAD where no file is configured.
const NoFile = "ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users in the Redis configuration."

// NotSaved is the error of ACL SAVE when the file cannot be written.
const NotSaved = "ERR There was an error trying to save the ACLs. Please check the server logs for more information"

const errNotInt = "ERR value is not an integer or out of range"

// Denied is the error of a command that a user may not run, "" if it may.
func Denied(u *users.User, row *command.Row, v users.Verdict) string {
	switch v {
	case users.Allowed:
		return ""
	case users.DeniedCommand:
		return "NOPERM User " + u.Name + " has no permissions to run the '" + row.Name + "' command"
	case users.DeniedKey:
		return "NOPERM No permissions to access a key"
	default:
		return "NOPERM No permissions to access a channel"
	}
}

// DeniedSince is the error of a command that its user could queue for EXEC and may not run any more (Redis 7.0 multi.c, execCommand), "" if it may.
func DeniedSince(v users.Verdict) string {
	reason := ""
	switch v {
	case users.Allowed:
		return ""
	case users.DeniedCommand:
		reason = "no permission to execute the command or subcommand"
	case users.DeniedKey:
		reason = "no permission to touch the specified keys"
	default:
		reason = "no permission to access one of the channels used as arguments"
	}
	return "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is no longer allowed for the following reason: " + reason
}

// Users answers ACL USERS.
func Users(w *resp.Writer, all *users.Users) {
	names := all.Names()
	w.Array(len(names))
	for _, name := range names {
		w.Bulk(name)
	}
}

// List answers ACL LIST.
func List(w *resp.Writer, all *users.Users) {
	names := all.Names()
	w.Array(len(names))
	for _, name := range names {
		w.Bulk("user " + all.Get(name).Text())
	}
}

// GetUser answers ACL GETUSER about u, nil if there is none.
func GetUser(w *resp.Writer, u *users.User) {
	if u == nil {
		w.Null()
		return
	}
	own, others := u.Selectors()
	w.Map(6)
	w.Bulk("flags")
	flags := u.Flags()
	w.Set(len(flags))
	for _, flag := range flags {
		w.Bulk(flag)
	}
	w.Bulk("passwords")
	w.Array(len(u.Passwords()))
	for _, hash := range u.Passwords() {
		w.Bulk(hash)
	}
	writePermissions(w, own)
	w.Bulk("selectors")
	w.Array(len(others))
	for _, other := range others {
		w.Map(3)
		writePermissions(w, other)
	}
}

func writePermissions(w *resp.Writer, p users.Permissions) {
	for _, pair := range [][2]string{{"commands", p.Commands}, {"keys", p.Keys}, {"channels", p.Channels}} {
		w.Bulk(pair[0])
		w.Bulk(pair[1])
	}
}

// Cat answers ACL CAT; args are the command's, more are commands beside the table's.
func Cat(w *resp.Writer, args [][]byte, more *command.Overlay) {
	switch len(args) {
	case 2:
		names := command.Categories(1<<32 - 1).Names()
		w.Array(len(names))
		for _, name := range names {
			w.Bulk(name[1:])
		}
	case 3:
		category := command.CategoryByName(string(args[2]))
		if category == 0 {
			w.Error("ERR Unknown category " + command.Quote(args[2]) + "")
			return
		}
		var names []string
		for _, row := range slices.Concat(command.Rows(), more.All()) {
			if row.Categories&category != 0 && row.ID != command.CmdLarder && row.Parent != command.CmdLarder {
				names = append(names, row.Name)
			}
		}
		w.Array(len(names))
		for _, name := range names {
			w.Bulk(name)
		}
	default:
		w.Error(command.ArityError(command.ByID(command.CmdACLCat)))
	}
}

// GenPass answers ACL GENPASS; fill makes bytes that nobody can guess.
func GenPass(w *resp.Writer, args [][]byte, fill func([]byte)) {
	const bitsDefault, bitsMax = 256, 4096
	bits := int64(bitsDefault)
	if len(args) > 3 {
		w.Error(command.ArityError(command.ByID(command.CmdACLGenPass)))
		return
	}
	if len(args) == 3 {
		var wrong string
		if bits, wrong = client.ParseNumber(string(args[2]), math.MinInt64, math.MaxInt64); wrong != "" {
			w.Error(errNotInt)
			return
		}
		if bits < 1 || bits > bitsMax {
			w.Error("ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096")
			return
		}
	}
	raw := make([]byte, (bits+7)/8)
	fill(raw)
	w.Bulk(hex.EncodeToString(raw)[:(bits+3)/4])
}

// DryRun answers ACL DRYRUN; more are commands beside the table's.
func DryRun(w *resp.Writer, all *users.Users, args [][]byte, more *command.Overlay) {
	u := all.Get(string(args[2]))
	if u == nil {
		w.Error("ERR User " + command.Quote(args[2]) + " not found")
		return
	}
	row, wrong := more.Find(args[3:])
	switch {
	case row == nil && !more.Has(args[3]):
		w.Error("ERR Command " + command.Quote(args[3]) + " not found")
		return
	case row == nil:
		w.Error(wrong)
		return
	case !row.ArityOK(len(args) - 3):
		w.Error(command.ArityError(row))
		return
	}
	switch v, at := u.Check(row, args[3:]); v {
	case users.Allowed:
		w.OK()
	case users.DeniedCommand:
		w.Bulk("User " + u.Name + " has no permissions to run the '" + row.Name + "' command")
	case users.DeniedKey:
		w.Bulk("User " + u.Name + " has no permissions to access the '" + string(args[3+at]) + "' key")
	default:
		w.Bulk("User " + u.Name + " has no permissions to access the '" + string(args[3+at]) + "' channel")
	}
}
