package commands_test

import (
	"bytes"
	"testing"

	"larder/protocol/command"
	"larder/protocol/resp"
)

// FuzzCommands runs drawn arguments through drawn rows: nothing panics, and each command has exactly one reply.
func FuzzCommands(f *testing.F) {
	f.Add([]byte("SET k v EX 100\nGET k\nBITFIELD k OVERFLOW SAT INCRBY u8 #3 100\nLCS k l IDX"))
	f.Add([]byte("SETRANGE k 100 x\nBITOP NOT l k\nBITPOS k 0 -1 5 BIT\nBITCOUNT k 3 900"))
	f.Add([]byte("INCRBYFLOAT k 0x1p-3\nCOPY k l DB 3 REPLACE\nMOVE k 2\nRENAME k l\nEXPIRE k -5 GT"))
	f.Add([]byte("MSET a 1 b 2\nKEYS [^a-\nOBJECT ENCODING a\nGETEX a PERSIST\nSCAN 0 MATCH *\nFLUSHALL"))
	f.Fuzz(func(t *testing.T, script []byte) {
		n := newNode(t, 2+len(script)%2)
		n.call.BulkMax = 1 << 16
		for _, line := range bytes.Split(script, []byte("\n")) {
			args := bytes.Fields(line)
			if len(args) == 0 {
				continue
			}
			if row, err := command.Resolve(args); err == "" && n.handlers[row.ID] == nil && row.ID != command.CmdSelect {
				continue
			}
			reply := n.run(args)
			var replies resp.Replies
			if size, _, state := replies.Next(reply); state != resp.Done || size != len(reply) {
				t.Fatalf("%q: %q is not one reply", args, reply)
			}
			if n.call.Changed < 0 {
				t.Fatalf("%q: changed %d", args, n.call.Changed)
			}
		}
	})
}
