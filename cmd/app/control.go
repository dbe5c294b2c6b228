package app

import (
	"context"
	crand "crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"time"

	"larder/backends"
	"larder/backends/stock"
	"larder/configs"
	"larder/control/api"
	"larder/control/controller"
	leading "larder/control/fleet"
	"larder/control/host"
	"larder/control/host/client"
)

// alivePath is where a controller says its name to whoever asks: it tells nothing else, and wants no key.
const alivePath = "/v1/alive"

// cutOff marks its answer when it leads and the registry does not answer it.
const cutOff = "X-Larder-Cut-Off"

// forwarded marks a request that another controller has passed on: it goes no further.
const forwarded = "X-Larder-Forwarded"

// Control leads the fleet, or waits until it may, and answers the management API, until ctx ends.
func Control(ctx context.Context, c configs.Config, env Env) error {
	key, err := c.API.TheKey()
	if err != nil {
		return err
	}
	fleetKey, err := host.ReadKey(c.Host.KeyFile)
	if err != nil {
		return fmt.Errorf("%w (host.key-file)", err)
	}
	p, err := newProcess(ctx, c, env)
	if err != nil {
		return err
	}
	f, err := p.joinFleet()
	if err != nil {
		return p.stack.finish(err)
	}
	defer f.leave()
	return p.serve(func() error { return f.control(key, fleetKey) })
}

// control starts the API, so that others see that this process lives, then what looks after the clusters' data while it leads, and then what leads. It stops in the
// opposite order: another leads while this one still gives up what was under way, and answers, and is passed on to.
func (f *fleet) control(key, fleetKey string) error {
	listener, err := net.Listen("tcp", f.config.API.Listen)
	if err != nil {
		return fmt.Errorf("management API: %w (api.listen)", err)
	}
	addr := f.config.API.Advertise
	if addr == "" {
		addr = listener.Addr().String()
	}
	leader, hangUp, err := f.newLeader(addr, fleetKey)
	if err != nil {
		_ = listener.Close()
		return err
	}
	keeper := f.newKeeper(f.registry)
	minded, closeStore, err := f.newMinder(leader)
	if err != nil {
		hangUp()
		return errors.Join(err, listener.Close())
	}
	handler := newControlAPI(leader, api.Options{Key: key, Clusters: minded, Manager: newManager(leader, nil), Store: minded.store, Open: f.storeAt, Config: keeper}, f.env.Log)
	m := &monitor{listener: listener, server: &http.Server{Handler: handler, ReadHeaderTimeout: headerWithin, ErrorLog: slog.NewLogLogger(f.env.Log.Handler(), slog.LevelDebug)}}
	serving := make(chan struct{})
	close(serving)
	f.env.Log.Info("management API is served", "addr", listener.Addr().String())
	if err := f.stack.start("management API", m.run, serving); err != nil {
		return err
	}
	if err := f.keepSettings(keeper); err != nil {
		return err
	}
	if err := f.begin("object store", func(ctx context.Context) error {
		<-ctx.Done()
		return closeStore()
	}); err != nil {
		return err
	}
	if err := minded.start(); err != nil {
		return err
	}
	f.health.add("leader", leader.Healthy)
	ready := make(chan struct{})
	return f.stack.start("leader", func(ctx context.Context) error {
		defer hangUp()
		return leader.Run(ctx, ready)
	}, ready)
}

// newLeader makes what leads; the function closes its connections to hosts and nodes.
func (f *fleet) newLeader(addr, fleetKey string) (leader *leading.Leader, hangUp func(), err error) {
	metrics, err := leading.NewMetrics(f.reg)
	if err != nil {
		return nil, nil, err
	}
	id, err := processName()
	if err != nil {
		return nil, nil, err
	}
	up := f.config.Gateway.Upstream
	hosts := client.New(fleetKey)
	auth := backends.Auth{User: up.User, Password: up.Password}
	managed, servers := backends.NewManaged(auth), stock.NewRoles(auth)
	return leading.New(leading.Options{
		ID: id, Addr: addr, Registry: f.registry, Hosts: hosts, Nodes: leading.NodesOver(managed), Servers: servers, Ping: pingLeader,
		Limits: controller.Limits{DownAfter: f.config.Control.DownAfter, ReplaceAfter: f.config.Control.ReplaceAfter},
		Log:    f.env.Log, Metrics: metrics, Now: time.Now, Chance: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
	}), func() { servers.Close(); managed.Close(); hosts.Close() }, nil
}

// processName is another one at each start.
func processName() (string, error) {
	host, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("this machine's name: %w", err)
	}
	var start [4]byte
	_, _ = crand.Read(start[:]) // it never fails
	return fmt.Sprintf("%s-%d-%s", host, os.Getpid(), hex.EncodeToString(start[:])), nil
}

// pingLeader asks a controller whether it lives. Each has a connection of its own: one that was open may outlive who is behind it.
func pingLeader(ctx context.Context, h leading.Holder) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+h.Addr+alivePath, nil)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	const longest = 1 << 10
	name, err := io.ReadAll(io.LimitReader(response.Body, longest))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK || string(name) != h.ID {
		return leading.ErrAnother
	}
	if response.Header.Get(cutOff) != "" {
		return leading.ErrCutOff
	}
	return nil
}

// controlAPI answers where this process leads, and else passes on to who does.
type controlAPI struct {
	leader *leading.Leader
	own    http.Handler
	log    *slog.Logger
}

func newControlAPI(leader *leading.Leader, o api.Options, log *slog.Logger) http.Handler {
	a := &controlAPI{leader: leader, own: api.New(o), log: log}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+alivePath, func(w http.ResponseWriter, _ *http.Request) {
		if leader.CutOff() {
			w.Header().Set(cutOff, "1")
		}
		_, _ = io.WriteString(w, leader.ID())
	})
	mux.Handle("/", a)
	return mux
}

func (a *controlAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := a.leader.View()
	switch {
	case v.Leads:
		a.own.ServeHTTP(w, r)
	case v.Leader.Addr == "" || r.Header.Get(forwarded) != "":
		a.nobody(w, "no controller leads at the moment: try again in a few seconds")
	default:
		a.pass(w, r, v.Leader)
	}
}

func (a *controlAPI) pass(w http.ResponseWriter, r *http.Request, to leading.Holder) {
	proxy := httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(&url.URL{Scheme: "http", Host: to.Addr})
			p.Out.Header.Set(forwarded, "1")
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			a.log.Debug("what was asked could not be passed on to the leader", "leader", to.ID, "addr", to.Addr, "error", err)
			a.nobody(w, "the controller that leads, at "+to.Addr+", does not answer: try again in a few seconds")
		},
		Transport: &http.Transport{DisableKeepAlives: true}, // it is seldom used, and the leader may be another the next time
		ErrorLog:  slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
	}
	proxy.ServeHTTP(w, r)
}

func (a *controlAPI) nobody(w http.ResponseWriter, text string) {
	said, err := json.Marshal(api.Problem{Code: api.CodeNoLeader, Error: text})
	if err != nil {
		panic(err) // it is two texts
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Retry-After", "1")
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = w.Write(append(said, '\n')) // the one who asked has gone
}
