package engine

import "larder/protocol/resp"

// debugReply writes one value of a type.
type debugReply struct {
	name  string
	write func(w *resp.Writer)
}

// debugReplies are Redis 7.0's (debug.c).
var debugReplies = []debugReply{
	{"string", func(w *resp.Writer) { w.Bulk("Hello World") }},
	{"integer", func(w *resp.Writer) { w.Int(12345) }},
	{"double", func(w *resp.Writer) { w.Double(3.141) }},
	{"bignum", func(w *resp.Writer) { w.BigNumber("1234567999999999999999999999999999999") }},
	{"null", (*resp.Writer).Null},
	{"array", func(w *resp.Writer) {
		w.Array(debugElements)
		writeDebugElements(w)
	}},
	{"set", func(w *resp.Writer) {
		w.Set(debugElements)
		writeDebugElements(w)
	}},
	{"map", func(w *resp.Writer) {
		w.Map(debugElements)
		for i := range debugElements {
			w.Int(int64(i))
			w.Bool(i == 1)
		}
	}},
	{"attrib", func(w *resp.Writer) {
		if w.Attribute(1) {
			w.Bulk("key-popularity")
			w.Array(2)
			w.Bulk("key:123")
			w.Int(90)
		}
		w.Bulk("Some real reply following the attribute")
	}},
	{"push", func(w *resp.Writer) {
		if w.Proto != 3 {
			w.Error("ERR RESP2 is not supported by this command")
			return
		}
		w.Push(2)
		w.Bulk("server-cpu-usage")
		w.Int(42)
		w.Bulk("Some real reply following the push reply")
	}},
	{"verbatim", func(w *resp.Writer) { w.Verbatim("txt", "This is a verbatim\nstring") }},
	{"true", func(w *resp.Writer) { w.Bool(true) }},
	{"false", func(w *resp.Writer) { w.Bool(false) }},
}

const debugElements = 3

func writeDebugElements(w *resp.Writer) {
	for i := range debugElements {
		w.Int(int64(i))
	}
}

func debugProtocol(s *session, args [][]byte) {
	name := lower(args[2])
	names := ""
	for _, r := range debugReplies {
		if r.name == name {
			r.write(&s.p.w)
			return
		}
		names += "|" + r.name
	}
	s.fail("ERR Wrong protocol type name. Please use one of the following: " + names[1:])
}
