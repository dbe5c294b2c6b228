package router_test

import (
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"larder/router"
)

func TestFormsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		topo := drawTopology(t)
		line := topo.Line()
		if strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Fatalf("not printable ASCII: %q", line)
		}
		back, err := router.ParseLine(line)
		if err != nil || !reflect.DeepEqual(topo, back) {
			t.Fatalf("%q: %v", line, err)
		}
		text, err := topo.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		if back, err = router.Parse(text); err != nil || !reflect.DeepEqual(topo, back) {
			t.Fatalf("%s: %v", text, err)
		}
	})
}

func TestLine(t *testing.T) {
	topo, err := router.New("my cluster", 7, []router.Shard{
		{Primary: router.Node{ID: "n0", Addr: "10.0.0.1:6379"}, Replicas: []router.Node{{ID: "n1", Addr: "[::1]:6380", External: true}}, Slots: []router.Range{{From: 0, To: 5455}, {From: 8000, To: 8000}}},
		{Primary: router.Node{Addr: "10.0.0.2:6379", External: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	const want = "1 my%20cluster 7 n0@10.0.0.1:6379,n1@[::1]:6380!=0-5455,8000 10.0.0.2:6379@10.0.0.2:6379!="
	if got := topo.Line(); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestParseLineRefuses(t *testing.T) {
	for line, want := range map[string]string{
		"": `version ""`, "2 c 1 a@h:1=": `version "2": want 1`, "1 c": "cut short", "1  1 a@h:1=": `cluster ""`, "1 c -1 a@h:1=": `epoch "-1"`, "1 c 01 a@h:1=": `epoch "01"`,
		"1 c 18446744073709551616 a@h:1=": "epoch", "1 c 1": "no shards", "1 c 1 ": `shard 0: "": want nodes=slots`, "1 c 1 a@h:1": "want nodes=slots", "1 c 1 ah:1=": `shard 0: node "ah:1": want id@host:port`,
		"1 c 1 a@h:1=x": `shard 0: slots "x"`, "1 c 1 a@h:1=5-": `slots "5-"`, "1 c 1 a@h:1=0,,1": `slots ""`, "1 c 1 a@h:1=5-4": `slots "5-4"`, "1 c 1 a@h:1=16384": `slots "16384"`,
		"1 c 1 a@h:1=0 b@h:2=0": "shard 1: slot 0 is already shard 0's", "1 c% 1 a@h:1=": `cluster "c%": byte '%' must be escaped`, "1 c%zz 1 a@h:1=": `"%zz" is no escape`, "1 c 1 a!@h:1=": `id: byte '!' must be escaped`,
		"1 c 1 a@h=": `address "h": want host:port`, "1 c 1 a@h:1!!=": "must be escaped", "1 c%0a 1 a@h:1=": "control",
	} {
		if _, err := router.ParseLine(line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v\nwant %s", line, err, want)
		}
	}
}

func FuzzParseLine(f *testing.F) {
	for _, seed := range []string{"1 c 7 n0@10.0.0.1:6379,n1@[::1]:6380!=0-5455,8000 b@h:2=", "1 - 0 a@h:1=0-16383", "1 %2D 1 @h:1=", "1 c%20d 18446744073709551615 a@h:1=0 b@h:2=1,3-4 c@h:3=2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		topo, err := router.ParseLine(line)
		if err != nil {
			return
		}
		canonical := topo.Line()
		back, err := router.ParseLine(canonical)
		if err != nil || back.Line() != canonical || !reflect.DeepEqual(topo, back) {
			t.Fatalf("%q → %q: %v", line, canonical, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{goodFile, `{"shards":[{"primary":{"addr":"h:1"},"slots":["0-16383"]}]}`, `{"shards":[]}`, `[`, `{"epoch":1.5}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, file string) {
		topo, err := router.Parse([]byte(file))
		if err != nil {
			return
		}
		text, err := topo.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		if back, err := router.Parse(text); err != nil || !reflect.DeepEqual(topo, back) {
			t.Fatalf("%q → %s: %v", file, text, err)
		}
	})
}

const goodFile = `{
  "cluster": "main",
  "epoch": 7,
  "shards": [
    {
      "primary": {"id": "n0", "addr": "10.0.0.1:6379", "external": true},
      "replicas": [{"id": "n2", "addr": "10.0.0.3:6379"}],
      "slots": ["0-8191", "16383"]
    },
    {"primary": {"id": "n1", "addr": "10.0.0.2:6379"}, "slots": ["8192-16382"]}
  ]
}
`

func TestParse(t *testing.T) {
	topo, err := router.Parse([]byte(goodFile))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := topo.Line(), "1 main 7 n0@10.0.0.1:6379!,n2@10.0.0.3:6379=0-8191,16383 n1@10.0.0.2:6379=8192-16382"; got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestParseRefuses(t *testing.T) {
	change := func(from, to string) string { return strings.Replace(goodFile, from, to, 1) }
	for _, test := range []struct{ file, want string }{
		{"", "line 1: the file: the file ends too early"},
		{"[]", "line 1: the file: got a list, want an object"},
		{"null", "line 1: the file: got null, want an object"},
		{goodFile + "{}", "line 13: something stands behind the topology's object"},
		{goodFile + "x", "something stands behind"},
		{change(`"epoch"`, `"epoche"`), "line 3: epoche: unknown field"},
		{change(`"addr": "10.0.0.3`, `"address": "10.0.0.3`), "line 7: shards[0].replicas[0].address: unknown field"},
		{change(`"external": true`, `"external": 1`), `line 6: shards[0].primary.external: got 1, want true or false`},
		{change(`"external": true`, `"id": "x"`), "line 6: shards[0].primary.id: given twice"},
		{change(`7,`, `"7",`), `line 3: epoch: got "7", want a whole number`},
		{change(`7,`, `-7,`), `line 3: epoch: got -7, want a whole number`},
		{change(`7,`, `7.0,`), "line 3: epoch"},
		{change(`7,`, `18446744073709551616,`), "line 3: epoch"},
		{change(`7,`, `{},`), "line 3: epoch: got an object"},
		{change(`"main"`, `3`), "line 2: cluster: got 3, want a text"},
		{change(`["0-8191", "16383"]`, `"0-8191"`), `line 8: shards[0].slots: got "0-8191", want a list`},
		{change(`"0-8191"`, `"0-16384"`), `line 8: shards[0].slots[0]: slots "0-16384": want a slot or from-to, from 0 to 16383`},
		{change(`"0-8191"`, `12`), `line 8: shards[0].slots[0]: got 12, want a text`},
		{change(`10.0.0.1:6379`, `10.0.0.1`), `line 6: shards[0].primary: address "10.0.0.1": want host:port`},
		{change(`"8192-16382"`, `"8191-16382"`), "shard 1: slot 8191 is already shard 0's"},
		{change(`"n1"`, `"n0"`), `shard 1: primary: node "n0" is already shard 0: primary`},
		{change(`7,`, `7;`), "line 3"},
		{goodFile[:60], "ends too early"},
		{`{"shards":[{"slots":[]}]}`, "shard 0: primary: address"},
	} {
		if _, err := router.Parse([]byte(test.file)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v\nwant %s", err, test.want)
		}
	}
}

func TestRanges(t *testing.T) {
	for _, text := range []string{"", "0-5455", "7", "0-3,5,16000-16383"} {
		ranges, err := router.ParseRanges(text)
		if got := string(router.AppendRanges(nil, ranges)); err != nil || got != text {
			t.Errorf("%q: %q %v", text, got, err)
		}
	}
	if _, err := router.ParseRanges("0-"); err == nil {
		t.Error("0- is taken")
	}
}
