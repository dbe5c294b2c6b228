package peers

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
)

// Toxiproxy is a server of Shopify's that carries connections, and can do to them what networks do.
type Toxiproxy struct {
	t     testing.TB
	api   string
	http  http.Client
	links int // that were laid
	ills  int // that were ever at work
}

// Stream is one of the two directions of a link.
type Stream string

// The directions.
const (
	Up   Stream = "upstream"   // from who connects to the server
	Down Stream = "downstream" // back
)

// Link is an address behind which a server lies, through toxiproxy.
type Link struct {
	Addr string // where to connect

	x    *Toxiproxy
	name string
	ills []string // names of those that are at work
}

// StartToxiproxy runs toxiproxy until the test ends. It is built if that was never done on this machine.
func StartToxiproxy(t testing.TB) *Toxiproxy {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	script := filepath.Join(filepath.Dir(here), "..", "..", "tools", "toxiproxy", "toxiproxy.sh")
	if out, err := exec.CommandContext(t.Context(), script, "-version").CombinedOutput(); err != nil {
		t.Fatalf("build toxiproxy: %v: %s", err, out)
	}
	var p *process
	for range tries {
		port := FreePort(t)
		p = start(t, t.TempDir(), []string{"LOG_LEVEL=error"}, script, "-host", "127.0.0.1", "-port", strconv.Itoa(port))
		if p.ready(func() bool { return answers(addrOf(port)) }) {
			t.Cleanup(p.stop)
			return &Toxiproxy{t: t, api: "http://" + addrOf(port), http: http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
		}
		p.stop()
	}
	p.fail(t)
	return nil
}

// Link lays a link to a server, in good health.
func (x *Toxiproxy) Link(to string) *Link {
	x.t.Helper()
	x.links++
	l := &Link{Addr: addrOf(FreePort(x.t)), x: x, name: "link" + strconv.Itoa(x.links)}
	x.post(http.MethodPost, "/proxies", map[string]any{"name": l.name, "listen": l.Addr, "upstream": to, "enabled": true})
	return l
}

// Cut breaks all connections; new ones can be made at once.
func (l *Link) Cut() {
	l.x.t.Helper()
	l.Open(false)
	l.Open(true)
}

// Open says whether connections can be made. Those that are there break when it is closed.
func (l *Link) Open(open bool) {
	l.x.t.Helper()
	l.x.post(http.MethodPost, "/proxies/"+l.name, map[string]any{"enabled": open})
}

// Ail does something to one direction of the link, to connections that are there and to those that are made, until Heal: kind and attributes are toxiproxy's
// (latency, bandwidth, slicer, timeout, reset_peer, limit_data). It adds to what is done already.
func (l *Link) Ail(kind string, stream Stream, attributes map[string]int) {
	l.x.t.Helper()
	l.x.ills++
	name := "ill" + strconv.Itoa(l.x.ills)
	l.x.post(http.MethodPost, "/proxies/"+l.name+"/toxics", map[string]any{"name": name, "type": kind, "stream": stream, "attributes": attributes})
	l.ills = append(l.ills, name)
}

// Heal ends all that was done to the link. Connections that timeout has kept silent break, since what was said on them is lost.
func (l *Link) Heal() {
	l.x.t.Helper()
	for _, name := range l.ills {
		l.x.post(http.MethodDelete, "/proxies/"+l.name+"/toxics/"+name, nil)
	}
	l.ills = nil
}

// post asks toxiproxy for something, which it must do.
func (x *Toxiproxy) post(method, path string, what any) {
	x.t.Helper()
	body, err := json.Marshal(what)
	if err != nil {
		x.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(x.t.Context(), method, x.api+path, bytes.NewReader(body))
	if err != nil {
		x.t.Fatal(err)
	}
	reply, err := x.http.Do(request)
	if err != nil {
		x.t.Fatal(err)
	}
	defer reply.Body.Close()
	if reply.StatusCode >= http.StatusMultipleChoices {
		var said bytes.Buffer
		_, _ = said.ReadFrom(reply.Body)
		x.t.Fatalf("toxiproxy: %s %s: %s: %s", method, path, reply.Status, said.String())
	}
}
