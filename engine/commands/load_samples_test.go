package commands_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// sample is what another reader found of a key.
type sample struct {
	DB      int
	Key     string
	Type    string
	Value   string
	Values  []string
	Members []string
	Hash    map[string]string
	Entries json.RawMessage // of sorted sets and streams
}

// TestSamplesOfAnotherReader loads the files that come with an independent reader of RDB files, of versions 2 to 12, and compares what it found in them.
func TestSamplesOfAnotherReader(t *testing.T) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/hdt3213/rdb").Output()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "cases", "*.rdb"))
	if err != nil || len(files) < 30 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	compared := 0
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			file, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			n := newNode(t, 2)
			n.now = func() int64 { return 1 } // nothing has expired
			load(t, n, file)
			text, err := os.ReadFile(strings.TrimSuffix(path, ".rdb") + ".json")
			if err != nil {
				return // only loading was to be seen
			}
			var samples []sample
			if err := json.Unmarshal(text, &samples); err != nil {
				t.Fatal(err)
			}
			for i := range samples {
				compared += n.compareSample(t, &samples[i])
			}
		})
	}
	if compared < 90 {
		t.Errorf("%d keys were compared", compared)
	}
}

// compareSample gives 1 if it could compare.
func (n *node) compareSample(t *testing.T, s *sample) int {
	t.Helper()
	n.pick(strconv.Itoa(s.DB))
	var got, want any
	switch s.Type {
	case "string":
		got, want = n.value(s.Type, s.Key), s.Value
	case "list":
		got, want = n.value(s.Type, s.Key), listOf(s.Values)
	case "set":
		slices.Sort(s.Members)
		got, want = n.value(s.Type, s.Key), listOf(s.Members)
	case "hash":
		all := map[string]string{}
		for _, pair := range n.value(s.Type, s.Key).([]any) {
			all[pair.([]any)[0].(string)] = pair.([]any)[1].(string)
		}
		got, want = all, s.Hash
	case "zset":
		var entries []struct {
			Member string
			Score  float64
		}
		if json.Unmarshal(s.Entries, &entries) != nil {
			return 0
		}
		scores, wants := map[string]float64{}, map[string]float64{}
		for _, e := range entries {
			wants[e.Member] = e.Score
		}
		for _, pair := range n.value(s.Type, s.Key).([]any) {
			scores[pair.([]any)[0].(string)], _ = strconv.ParseFloat(pair.([]any)[1].(string), 64)
		}
		got, want = scores, wants
	default:
		return 0
	}
	if strings.Contains(fmt.Sprint(s.Key, want), "\ufffd") {
		return 0 // bytes that JSON cannot have
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q: %.300q\nthe other reader found %.300q", s.Key, got, want)
	}
	return 1
}

func listOf(texts []string) []any {
	out := make([]any, len(texts))
	for i := range texts {
		out[i] = texts[i]
	}
	return out
}
