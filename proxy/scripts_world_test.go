package proxy

import (
	"crypto/sha1"
	"encoding/hex"
	"strings"

	"larder/protocol/resp"
)

func shaOf(body string) string {
	sum := sha1.Sum([]byte(body))
	return hex.EncodeToString(sum[:])
}

// library is SCRIPT and FUNCTION of a node.
func (fc *fakeConn) library(name string, args [][]byte) {
	n, sub := fc.n, strings.ToUpper(string(args[1]))
	switch name + " " + sub {
	case "SCRIPT LOAD":
		n.knows(string(args[2]))
		fc.out = resp.AppendBulkString(fc.out, shaOf(string(args[2])))
	case "SCRIPT EXISTS":
		fc.out = resp.AppendArray(fc.out, len(args)-2)
		for _, sha := range args[2:] {
			one := int64(0)
			if n.scripts[string(sha)] {
				one = 1
			}
			fc.out = resp.AppendInt(fc.out, one)
		}
	case "SCRIPT FLUSH":
		n.scripts = nil
		fc.out = append(fc.out, "+OK\r\n"...)
	case "FUNCTION LOAD", "FUNCTION RESTORE":
		if n.functions != "" {
			fc.out = append(fc.out, "-ERR Library already exists\r\n"...)
			return
		}
		n.functions = string(args[2])
		fc.out = append(fc.out, "+OK\r\n"...)
	case "FUNCTION DUMP":
		payload := n.functions
		if payload == "" {
			payload = "0123456789" // without libraries
		}
		fc.out = resp.AppendBulkString(fc.out, payload)
	case "FUNCTION LIST":
		fc.out = resp.AppendArray(fc.out, min(1, len(n.functions)))
		if n.functions != "" {
			fc.out = resp.AppendBulkString(fc.out, n.functions)
		}
	default:
		n.w.t.Errorf("node got %q", args)
		fc.out = append(fc.out, "-ERR what\r\n"...)
	}
}

func (n *fakeNode) knows(body string) {
	if n.scripts == nil {
		n.scripts = map[string]bool{}
	}
	n.scripts[shaOf(body)] = true
}

// script runs a script that answers its first argument, or a function that does.
func (fc *fakeConn) script(name string, args [][]byte, note func(key []byte, id string)) {
	switch {
	case name == "EVAL":
		fc.n.knows(string(args[1]))
	case name == "EVALSHA" && !fc.n.scripts[string(args[1])]:
		fc.out = append(fc.out, "-NOSCRIPT No matching script. Please use EVAL.\r\n"...)
		return
	case name == "FCALL" && fc.n.functions == "":
		fc.out = append(fc.out, "-ERR Function not found\r\n"...)
		return
	}
	note(args[3], string(args[4]))
	fc.out = resp.AppendBulk(fc.out, args[4])
}
