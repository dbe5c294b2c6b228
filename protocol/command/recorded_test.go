package command_test

import (
	"bufio"
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"larder/protocol/command"
)

// fact is what COMMAND INFO says of a row, but for the notes on keys, which are text.
type fact struct {
	Name     string   `json:"name"`
	Arity    int      `json:"arity"`
	Flags    []string `json:"flags"`
	First    int      `json:"first"`
	Last     int      `json:"last"`
	Step     int      `json:"step"`
	ACL      []string `json:"acl"`
	Tips     []string `json:"tips"`
	KeySpecs []spec   `json:"key_specs"`
}

type spec struct {
	Flags []string       `json:"flags"`
	Begin map[string]any `json:"begin_search"`
	Find  map[string]any `json:"find_keys"`
}

// recorded are the rows of Redis 7.2.6 as it told them: testdata/redis-7.2.6.jsonl, a row a line.
func recorded(t *testing.T) map[string]fact {
	t.Helper()
	f, err := os.Open("testdata/redis-7.2.6.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := map[string]fact{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var row fact
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		all[row.Name] = row
	}
	return all
}

// TestRowsAsRecorded holds our rows to those of 7.2.6, whose commands we have, without an exception. Whether any is missing is another test's question.
func TestRowsAsRecorded(t *testing.T) {
	theirs := recorded(t)
	for _, r := range command.Rows() {
		want, ok := theirs[r.Name]
		if !ok {
			if !strings.HasPrefix(r.Name, "larder") && !newerThan72(r) {
				t.Errorf("%s: 7.2.6 does not have it", r.Name)
			}
			continue
		}
		a, b := reflect.ValueOf(want.sorted()), reflect.ValueOf(factOf(r).sorted())
		for i := range a.NumField() {
			id := r.Name + "/" + a.Type().Field(i).Tag.Get("json")
			x, y := marshal(t, a.Field(i).Interface()), marshal(t, b.Field(i).Interface())
			if x == y {
				continue
			}
			t.Errorf("%s:\n7.2.6 %s\nours  %s", id, x, y)
		}
	}
}

// changed tells whether 7.2.6 says a field of COMMAND INFO otherwise than another server. Only these fields have changed since 7.0; the fact is sorted.
func (f fact) changed(field string, theirs node) bool {
	every := func(string) bool { return true }
	switch field {
	case "arity":
		return theirs.text != strconv.Itoa(f.Arity)
	case "flags":
		return !slices.Equal(theirs.texts(every), f.Flags)
	case "tips":
		return !slices.Equal(theirs.texts(every), f.Tips)
	}
	return false
}

func marshal(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (f fact) sorted() fact {
	for _, list := range [][]string{f.Flags, f.ACL, f.Tips} {
		slices.Sort(list)
	}
	for i := range f.KeySpecs {
		slices.Sort(f.KeySpecs[i].Flags)
	}
	if len(f.Tips) == 0 {
		f.Tips = nil
	}
	return f
}

func factOf(r *command.Row) fact {
	f := fact{Name: r.Name, Arity: r.Arity, Flags: r.Flags.Names(), First: r.First, Last: r.Last, Step: r.Step, ACL: r.Categories.Names(), Tips: slices.Clone(r.Tips)}
	for _, k := range r.KeySpecs {
		f.KeySpecs = append(f.KeySpecs, specOf(&k))
	}
	return f
}

func specOf(k *command.KeySpec) spec {
	s := spec{Flags: flagsOf(k.Flags), Begin: map[string]any{"type": "unknown"}, Find: map[string]any{"type": "unknown"}}
	switch k.Begin {
	case command.BeginIndex:
		s.Begin = map[string]any{"type": "index", "index": k.Index}
	case command.BeginKeyword:
		s.Begin = map[string]any{"type": "keyword", "keyword": k.Keyword, "startfrom": k.From}
	}
	switch k.Find {
	case command.FindRange:
		s.Find = map[string]any{"type": "range", "lastkey": k.LastKey, "keystep": k.Step, "limit": k.Limit}
	case command.FindKeyNum:
		s.Find = map[string]any{"type": "keynum", "keynumidx": k.KeyNumIndex, "firstkey": k.FirstKey, "keystep": k.Step}
	}
	return s
}

// flagsOf names the flags of keys, in no order.
func flagsOf(f command.KeyFlags) (names []string) {
	for flag, name := range map[command.KeyFlags]string{
		command.KeyRO: "RO", command.KeyRW: "RW", command.KeyOW: "OW", command.KeyRM: "RM", command.KeyAccess: "access", command.KeyUpdate: "update",
		command.KeyInsert: "insert", command.KeyDelete: "delete", command.KeyNotKey: "not_key", command.KeyIncomplete: "incomplete",
		command.KeyVariable: "variable_flags",
	} {
		if f&flag != 0 {
			names = append(names, name)
		}
	}
	return names
}

// newerThan72: of what came later we have only the fields that expire.
func newerThan72(r *command.Row) bool {
	return r.Group == "hash" && (strings.HasPrefix(r.Since, "7.4.") || strings.HasPrefix(r.Since, "8.") || strings.HasPrefix(r.Since, "9."))
}
