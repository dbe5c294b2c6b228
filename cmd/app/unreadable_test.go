package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"larder/backends"
	"larder/backends/registry"
	"larder/control/controller"
	"larder/router"
)

// TestUnreadable: what cannot be read of a cluster holds no other up, and it is wanted as it was until it can be read again or is to be deleted.
func TestUnreadable(t *testing.T) {
	var log bytes.Buffer
	c := &clusters{
		fits: func(*router.Topology, *controller.Plan) bool { return true }, news: func(*router.Topology) {},
		log: slog.New(slog.NewTextHandler(&log, nil)), told: make(chan map[string]wish, 1),
	}
	stand := map[string][]byte{}
	put := func(name, what string, value []byte) { stand[clustersPrefix+name+"/"+what] = value }
	spec := func(name string, s controller.Spec) {
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		put(name, "spec", text)
	}
	topology := func(name string) {
		even, err := router.Even(name, 1, []router.Node{{Addr: "127.0.0.1:1"}})
		if err != nil {
			t.Fatal(err)
		}
		value, err := backends.EncodeTopology(even)
		if err != nil {
			t.Fatal(err)
		}
		put(name, "topology", value)
	}
	version := uint64(0)
	wants := func(want string) {
		t.Helper()
		version++
		var entries []registry.Entry
		for key, value := range stand {
			entries = append(entries, registry.Entry{Key: key, Value: value, Version: version})
		}
		c.read(entries)
		if got := fmt.Sprint(<-c.told); got != want {
			t.Errorf("wanted: %s, want %s", got, want)
		}
	}
	spec("a", controller.Spec{Listen: ":1"})
	topology("a")
	wants("map[a:{a :1 true false}]")
	put("a", "topology", []byte("nonsense"))
	put("c", "plan", []byte("nonsense"))
	spec("b", controller.Spec{Listen: ":2"})
	topology("b")
	wants("map[a:{a :1 true false} b:{b :2 true false}]")
	put("a", "spec", []byte("{"))
	spec("b", controller.Spec{Deleted: true})
	wants("map[a:{a :1 true false}]")
	for _, name := range []string{"a", "c"} {
		if n := strings.Count(log.String(), "key="+clustersPrefix+name+"/"); n != 1 {
			t.Errorf("said %d times of cluster %s, want once:\n%s", n, name, &log)
		}
	}
	spec("a", controller.Spec{Listen: ":3"})
	topology("a")
	wants("map[a:{a :3 true false}]")
	put("a", "topology", []byte("nonsense"))
	spec("a", controller.Spec{Deleted: true})
	wants("map[]")
}
