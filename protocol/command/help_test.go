package command_test

import (
	"strings"
	"testing"

	"larder/protocol/command"
	"larder/protocol/resp"
)

func TestHelp(t *testing.T) {
	for _, r := range command.Rows() {
		if len(r.Subs) == 0 {
			continue
		}
		w := resp.Writer{Proto: 2}
		command.Help(&w, r)
		n := parse(t, w.Out)
		if head := n.elems[0]; head.kind != '+' || head.text != strings.ToUpper(r.Name)+" <subcommand> [<arg> [value] [opt] ...]. Subcommands are:" {
			t.Errorf("%s: %v", r.Name, head)
		}
		if !strings.HasPrefix(n.elems[len(n.elems)-2].text, "HELP") && r.ID != command.CmdCommand {
			t.Errorf("%s: HELP is not last: %v", r.Name, n)
		}
		for _, l := range n.elems {
			if l.kind != '+' || l.text == "" {
				t.Errorf("%s: %v", r.Name, l)
			}
		}
	}
}

// TestHelpShowsArguments: the same tree that COMMAND DOCS prints, as a manual would write it.
func TestHelpShowsArguments(t *testing.T) {
	w := resp.Writer{Proto: 2}
	command.Help(&w, command.ByID(command.CmdClient))
	command.Help(&w, command.ByID(command.CmdConfig))
	command.Help(&w, command.ByID(command.CmdLarder))
	for _, want := range []string{
		"LIST [TYPE NORMAL|MASTER|REPLICA|PUBSUB] [ID <client-id> [<client-id> ...]]",
		"REPLY ON|OFF|SKIP",
		"SETINFO LIB-NAME <libname>|LIB-VER <libver>",
		"PAUSE <timeout> [WRITE|ALL]",
		"SET <parameter> <value> [<parameter> <value> ...]",
		"SCAN <to> <cursor> [MATCH <pattern>] [COUNT <count>] [TYPE <type>]",
		"HELP",
	} {
		if !strings.Contains(string(w.Out), "+"+want+"\r\n") {
			t.Errorf("no %q in\n%s", want, w.Out)
		}
	}
}
