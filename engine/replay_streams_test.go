package engine_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"larder/protocol/resp"
)

// streamRecord is a stream as Redis 7.2.6 had it.
type streamRecord struct {
	Entries      []entryRecord `json:"entries"`
	LastID       string        `json:"last_id"`
	EntriesAdded int64         `json:"entries_added"`
	MaxDeletedID string        `json:"max_deleted_id"`
	FirstID      string        `json:"recorded_first_entry_id"`
	Length       int64         `json:"length"`
	Groups       []groupRecord `json:"groups"`
}

type entryRecord struct {
	id     string
	fields []blob
}

func (e *entryRecord) UnmarshalJSON(p []byte) error {
	return json.Unmarshal(p, &[]any{&e.id, &e.fields})
}

type groupRecord struct {
	Name        blob             `json:"name"`
	LastID      string           `json:"last_delivered_id"`
	EntriesRead *int64           `json:"entries_read"`
	Lag         *int64           `json:"lag"`
	Pending     [][]any          `json:"pending"` // id, consumer, deliveries, time
	Consumers   []consumerRecord `json:"consumers"`
}

type consumerRecord struct {
	Name       blob  `json:"name"`
	SeenTime   int64 `json:"seen_time"`
	ActiveTime int64 `json:"active_time"`
	Count      int64 `json:"pel_count"`
}

// streamDiffers says where a stream is not as recorded; ours: it came from our payload, which is in the form of 7.0. That does not say that a consumer was never
// given anything; it is then taken to be when it was last seen.
func (k *talker) streamDiffers(value json.RawMessage, name string, ours bool) string {
	var r streamRecord
	if err := json.Unmarshal(value, &r); err != nil {
		return err.Error()
	}
	got := tree([]byte(k.do("XINFO", "STREAM", name, "FULL", "COUNT", "0")))
	entries, _ := at(got, "entries").([]any)
	if len(entries) != len(r.Entries) {
		return fmt.Sprintf("%d entries", len(entries))
	}
	for i, e := range r.Entries {
		mine := entries[i].([]any)
		if mine[0] != e.id || !sameTexts(e.fields, mine[1]) {
			return fmt.Sprintf("entry %d is %.200q", i, mine)
		}
	}
	want := []any{r.Length, r.LastID, r.MaxDeletedID, r.EntriesAdded, r.FirstID}
	var have []any
	for _, field := range []string{"length", "last-generated-id", "max-deleted-entry-id", "entries-added", "recorded-first-entry-id"} {
		have = append(have, at(got, field))
	}
	if !reflect.DeepEqual(want, have) {
		return fmt.Sprintf("it is %v, not %v", have, want)
	}
	groups, _ := at(got, "groups").([]any)
	if len(groups) != len(r.Groups) {
		return fmt.Sprintf("%d groups", len(groups))
	}
	for i := range r.Groups {
		if why := r.Groups[i].differs(groups[i], ours); why != "" {
			return why
		}
	}
	return ""
}

func (g *groupRecord) differs(got any, ours bool) string {
	text := func(v any) string { s, _ := v.(string); return s }
	if !g.Name.is(text(at(got, "name"))) || at(got, "last-delivered-id") != g.LastID || !isNumber(g.EntriesRead, at(got, "entries-read")) || !isNumber(g.Lag, at(got, "lag")) {
		return fmt.Sprintf("group %v", got)
	}
	var want, have []string
	for _, p := range g.Pending {
		want = append(want, fmt.Sprintf("%v %v %.0f %.0f", p...))
	}
	pending, _ := at(got, "pending").([]any)
	for _, p := range pending {
		q := p.([]any)
		have = append(have, fmt.Sprintf("%v %v %v %v", q[0], q[1], q[3], q[2]))
	}
	if strings.Join(want, "\n") != strings.Join(have, "\n") {
		return fmt.Sprintf("pending in group %q: %q, not %q", g.Name.text, have, want)
	}
	consumers, _ := at(got, "consumers").([]any)
	if len(consumers) != len(g.Consumers) {
		return fmt.Sprintf("group %q has %d consumers", g.Name.text, len(consumers))
	}
	for i, c := range g.Consumers {
		if ours && c.ActiveTime == -1 {
			c.ActiveTime = c.SeenTime
		}
		if m := consumers[i]; !c.Name.is(text(at(m, "name"))) || at(m, "seen-time") != c.SeenTime || at(m, "active-time") != c.ActiveTime || at(m, "pel-count") != c.Count {
			return fmt.Sprintf("consumer %v, not %+v", m, c)
		}
	}
	return ""
}

// isNumber compares a number, or null.
func isNumber(want *int64, got any) bool {
	if want == nil {
		return got == nil
	}
	return got == *want
}

func sameTexts(want []blob, got any) bool {
	all, ok := got.([]any)
	if !ok || len(all) != len(want) {
		return false
	}
	for i := range want {
		if text, ok := all[i].(string); !ok || !want[i].is(text) {
			return false
		}
	}
	return true
}

// tree is a reply of RESP2 as Go's values: []any, string, int64, nil.
func tree(reply []byte) any {
	v := resp.Value(reply)
	if v.IsNull() {
		return nil
	}
	switch v.Kind() {
	case resp.KindArray:
		all := []any{}
		it := v.Elements()
		for e, ok := it.Next(); ok; e, ok = it.Next() {
			all = append(all, tree(e))
		}
		return all
	case resp.KindInt:
		n, _ := v.Int()
		return n
	}
	text, _ := v.Bytes()
	return string(text)
}

// at is the value of a field in a flat list of fields and values.
func at(pairs any, field string) any {
	all, _ := pairs.([]any)
	for i := 0; i+1 < len(all); i += 2 {
		if all[i] == field {
			return all[i+1]
		}
	}
	return nil
}
