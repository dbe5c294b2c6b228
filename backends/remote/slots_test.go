package remote_test

import (
	"strings"
	"testing"

	"larder/backends/remote"
	"larder/protocol/resp"
)

const wholeCluster = "*2\r\n*3\r\n:0\r\n:8000\r\n*3\r\n$1\r\na\r\n:1\r\n$2\r\nid\r\n*3\r\n:8001\r\n:16383\r\n*3\r\n$0\r\n\r\n:2\r\n$2\r\nid\r\n"

// TestSlots: an empty host is the one that was asked, and a cluster that is not whole is refused.
func TestSlots(t *testing.T) {
	list, err := remote.PrimariesOf(resp.Value(wholeCluster), "asked:7000")
	if err != nil || len(list) != 2 || list[0].Addr != "a:1" || list[1].Addr != "asked:2" {
		t.Error(list, err)
	}
	if _, err := remote.PrimariesOf(resp.Value(strings.Replace(wholeCluster, "8001", "8002", 1)), "asked:7000"); err == nil || !strings.Contains(err.Error(), "not whole") {
		t.Error(err)
	}
}

// FuzzSlots: whatever is answered, all slots have one primary or there is an error.
func FuzzSlots(f *testing.F) {
	f.Add(wholeCluster)
	f.Add("*1\r\n*2\r\n:0\r\n:1\r\n")
	f.Add("*0\r\n")
	f.Fuzz(func(t *testing.T, reply string) {
		list, err := remote.PrimariesOf(resp.Value(reply), "asked:7000")
		if err != nil {
			return
		}
		slots := 0
		for _, p := range list {
			for _, r := range p.Slots {
				slots += r.To - r.From + 1
			}
		}
		if slots != 16384 {
			t.Fatalf("%q: %d slots", reply, slots)
		}
	})
}
