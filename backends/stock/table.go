// Package stock asks stock servers (redis-server, Valkey) what their commands are, so that a gateway can route those that its table lacks. What must hold: it is
// not on a command's way; a server that does not answer, or answers nonsense, changes nothing of what is known.
package stock

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"larder/backends"
	"larder/protocol/command"
)

// tableMax is how many commands of a server are read, subcommands counted.
const tableMax = 1 << 14

// Table asks a server for its commands (COMMAND).
func Table(ctx context.Context, a *backends.Admin) ([]command.Row, error) {
	reply, err := a.Do(ctx, "COMMAND")
	if err != nil {
		return nil, err
	}
	rows, err := parse(reply)
	if err != nil {
		return nil, fmt.Errorf("read COMMAND's reply: %w", err)
	}
	return rows, nil
}

// parse reads COMMAND's reply, of any release that has one: before 7.0 a command has 6 or 7 facts, and its keys are told by the classic range alone.
func parse(reply backends.Reply) ([]command.Row, error) {
	var rows []command.Row
	for _, one := range reply.List {
		row, err := parseRow(one)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
		if len(one.List) > 9 {
			for _, sub := range one.List[9].List {
				row, err := parseRow(sub)
				if err != nil {
					return nil, err
				}
				rows = append(rows, row)
			}
		}
		if len(rows) > tableMax {
			return nil, fmt.Errorf("there are more than %d commands", tableMax)
		}
	}
	return rows, nil
}

func parseRow(one backends.Reply) (row command.Row, err error) {
	const facts = 6
	if len(one.List) < facts {
		return row, fmt.Errorf("a command has %d facts, want at least %d", len(one.List), facts)
	}
	row.Name = strings.ToLower(one.List[0].Text)
	var classic [3]int
	numbers := []*int{&row.Arity, nil, &classic[0], &classic[1], &classic[2]}
	for i, into := range numbers {
		if into == nil {
			continue
		}
		if *into, err = strconv.Atoi(one.List[1+i].Text); err != nil {
			return row, fmt.Errorf("command %q: fact %d is no number: %q", row.Name, 1+i, one.List[1+i].Text)
		}
	}
	row.Flags = flagsOf(texts(one.List[2]))
	if len(one.List) > 6 {
		row.Categories = categoriesOf(texts(one.List[6]))
	}
	if len(one.List) <= 8 {
		row.KeySpecs = classicSpec(classic, row.Flags)
		return row, nil
	}
	row.Tips = texts(one.List[7])
	for _, spec := range one.List[8].List {
		k, err := parseSpec(fields(spec))
		if err != nil {
			return row, fmt.Errorf("command %q: %w", row.Name, err)
		}
		row.KeySpecs = append(row.KeySpecs, k)
	}
	return row, nil
}

// classicSpec is the spec of a range as servers before 7.0 tell it.
func classicSpec(r [3]int, flags command.Flags) []command.KeySpec {
	if r[0] == 0 {
		return nil
	}
	k := command.KeySpec{Flags: command.KeyRW | command.KeyAccess | command.KeyUpdate, Begin: command.BeginIndex, Index: r[0], Find: command.FindRange, LastKey: r[1], Step: r[2]}
	if r[1] > 0 {
		k.LastKey -= r[0]
	}
	if flags.Has(command.ReadOnly) {
		k.Flags = command.KeyRO | command.KeyAccess
	}
	return []command.KeySpec{k}
}

func texts(list backends.Reply) (out []string) {
	for _, one := range list.List {
		out = append(out, one.Text)
	}
	return out
}

// fields reads a map, which protocol 2 says as a flat array.
func fields(flat backends.Reply) map[string]backends.Reply {
	m := map[string]backends.Reply{}
	for i := 0; i+1 < len(flat.List); i += 2 {
		m[flat.List[i].Text] = flat.List[i+1]
	}
	return m
}

// The words that a server uses, by bit.
var (
	flagWords = bits(func(i int) []string { return command.Flags(1 << i).Names() })
	keyWords  = bits(func(i int) []string { return command.KeyFlags(1 << i).Names() })
)

func bits(names func(i int) []string) map[string]uint32 {
	m := map[string]uint32{}
	for i := range 32 {
		for _, name := range names(i) {
			m[name] = 1 << i
		}
	}
	return m
}

// flagsOf reads flags. Who does not say that a command only reads may write by it.
func flagsOf(words []string) (f command.Flags) {
	for _, w := range words {
		f |= command.Flags(flagWords[w])
	}
	if f.Has(command.Write) {
		f &^= command.ReadOnly
	}
	return f
}

func categoriesOf(words []string) (c command.Categories) {
	for _, w := range words {
		c |= command.CategoryByName(strings.TrimPrefix(w, "@"))
	}
	return c
}

var errNumber = errors.New("a key spec has no number where one belongs")

// parseSpec reads a key spec. Of what is unknown nothing is known of the keys.
func parseSpec(spec map[string]backends.Reply) (k command.KeySpec, err error) {
	for _, w := range texts(spec["flags"]) {
		k.Flags |= command.KeyFlags(keyWords[w])
	}
	k.Notes = spec["notes"].Text
	begin, find := fields(spec["begin_search"]), fields(spec["find_keys"])
	read := func(m map[string]backends.Reply, name string, into *int) {
		n, wrong := strconv.Atoi(m[name].Text)
		if *into = n; wrong != nil {
			err = errNumber
		}
	}
	at := fields(begin["spec"])
	switch begin["type"].Text {
	case "index":
		k.Begin = command.BeginIndex
		read(at, "index", &k.Index)
	case "keyword":
		k.Begin, k.Keyword = command.BeginKeyword, at["keyword"].Text
		read(at, "startfrom", &k.From)
	}
	how := fields(find["spec"])
	switch find["type"].Text {
	case "range":
		k.Find = command.FindRange
		read(how, "lastkey", &k.LastKey)
		read(how, "keystep", &k.Step)
		read(how, "limit", &k.Limit)
	case "keynum":
		k.Find = command.FindKeyNum
		read(how, "keynumidx", &k.KeyNumIndex)
		read(how, "firstkey", &k.FirstKey)
		read(how, "keystep", &k.Step)
	}
	return k, err
}
