package app_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"larder/cmd/app"
	"larder/configs"
	"larder/internal/peers"
)

// gnet's library of workers has goroutines that live as long as the process.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).purgeStaleWorkers"),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).ticktock"), goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*goWorker).run.func1"))
}

// patience is how long anything may take that should take moments.
const patience = time.Minute

// role is a running role.
type role struct {
	out, log *peers.Output
	stop     context.CancelFunc
	ended    chan error
}

// config is a role's configuration as flags make it; nothing of it is on a port that others use.
func config(t *testing.T, r configs.Role, args ...string) configs.Config {
	t.Helper()
	loader := configs.NewLoader(r)
	free := []string{"--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"}
	if err := loader.Flags().Parse(append(free, args...)); err != nil {
		t.Fatal(err)
	}
	loaded, err := loader.Load()
	if err != nil {
		t.Fatal(err)
	}
	return loaded.Config
}

// start runs a role until the test ends, or end.
func start(t *testing.T, run func(context.Context, configs.Config, app.Env) error, c configs.Config) *role {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	r := &role{out: &peers.Output{}, log: &peers.Output{}, stop: stop, ended: make(chan error, 1)}
	env := app.Env{Out: r.out, Log: slog.New(slog.NewTextHandler(r.log, nil))}
	go func() { r.ended <- run(ctx, c, env) }()
	t.Cleanup(func() {
		stop()
		r.wait(t)
	})
	return r
}

// wait gives the role's error once it has ended.
func (r *role) wait(t *testing.T) error {
	t.Helper()
	select {
	case err := <-r.ended:
		r.ended <- err // for whoever asks again
		return err
	case <-time.After(patience):
		t.Fatalf("the role does not end; it logged\n%s", r.log)
		return nil
	}
}

// find waits until the role's log or output has what the pattern's group wants.
func (r *role) find(t *testing.T, from *peers.Output, pattern string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	var found []string
	eventually(t, pattern, func() bool {
		found = re.FindStringSubmatch(from.String())
		if found == nil && len(r.ended) > 0 {
			t.Fatalf("the role ended: %v", r.wait(t))
		}
		return found != nil
	})
	return found[1]
}

// endpoint is where clients connect; metrics where operators do.
func (r *role) endpoint(t *testing.T) string {
	t.Helper()
	return r.find(t, r.log, `msg="(?:gateway|node) serves".* addr=(\S+)`)
}

func (r *role) metrics(t *testing.T) string {
	t.Helper()
	return r.find(t, r.log, `msg="metrics are served" addr=(\S+)`)
}

func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}

// get asks over HTTP: status and body.
func get(t *testing.T, url string) (int, string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	reply, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply.StatusCode, string(body)
}

// taken is an address that somebody listens on.
func taken(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

// mustSay wants an error of one line with all the parts.
func mustSay(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "\n") {
			t.Errorf("got %v\nwant one line with %q", err, part)
		}
	}
}
