package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"larder/backends"
	"larder/backends/remote"
	"larder/configs"
	"larder/process/files"
	"larder/proxy"
	"larder/proxy/mirror"
	"larder/router"
)

// ShadowFolder is where a shadow leaves its address if nothing is said.
func ShadowFolder() (string, error) {
	dir, err := DevFolder()
	if err != nil {
		return "", err
	}
	return dir + "-shadow", nil
}

// switchedFile says in a shadow's folder that its clients were moved, and where to: a shadow that is started anew must not take them back.
const switchedFile = "switched"

// Shadow serves from an existing cache and mirrors a share of the traffic to another cluster, until ctx ends.
func Shadow(ctx context.Context, c configs.Config, env Env) error {
	dir := c.Shadow.Dir
	if dir == "" {
		var err error
		if dir, err = ShadowFolder(); err != nil {
			return err
		}
	}
	data, err := takeFolder(dir)
	if err != nil {
		return err
	}
	defer data.release()
	s := &shadow{data: data}
	if s.from, err = server("from", c.Shadow.From); err != nil {
		return err
	}
	if s.to, err = server("to", c.Shadow.To); err != nil {
		return err
	}
	if s.to.Kind != remote.Single {
		return errors.New("shadow.to must be one endpoint or node: redis://host:port")
	}
	if s.process, err = newProcess(ctx, c, env); err != nil {
		return err
	}
	return s.serve(s.build)
}

// server reads an address that a gateway can reach.
func server(key, text string) (remote.Address, error) {
	a, err := remote.Parse(text)
	if err != nil {
		return a, fmt.Errorf("shadow.%s: %w", key, err)
	}
	if a.TLS {
		return a, fmt.Errorf("shadow.%s: a gateway speaks no TLS to its nodes: put a TLS tunnel such as stunnel between, and say its address", key)
	}
	return a, nil
}

type shadow struct {
	*process
	data     *folder
	from, to remote.Address
	source   *movable
	mirror   *mirror.Mirror
	gateway  *proxy.Gateway

	mu       sync.Mutex // of what the API's requests do
	haltedAt time.Time
	halted   bool
	switched string // where the clients were moved to; empty = they were not
}

func (s *shadow) build() error {
	o := s.config.Gateway
	if s.from.Login.Password == "" {
		s.from.Login = remote.Login{User: o.Upstream.User, Password: o.Upstream.Password}
	}
	o.Upstream.User, o.Upstream.Password = s.from.Login.User, s.from.Login.Password
	moved, err := os.ReadFile(filepath.Join(s.data.path, switchedFile))
	if err == nil {
		return s.serveMoved(o, strings.TrimSpace(string(moved)))
	} else if !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("shadow: %w", err)
	}
	if s.source, err = newMovable(s.stack.ctx, s.look, s.env); err != nil {
		return fmt.Errorf("shadow.from: %w", err)
	}
	if err := s.startMirror(); err != nil {
		return err
	}
	if s.gateway, err = s.startMirrored(o); err != nil {
		return err
	}
	if err := s.startAPI(); err != nil {
		return err
	}
	return s.welcome()
}

// look asks where the source's data is.
func (s *shadow) look(ctx context.Context) ([]router.Shard, error) {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	primaries, err := s.from.Primaries(ctx)
	if err != nil {
		return nil, err
	}
	shards := make([]router.Shard, len(primaries))
	for i, p := range primaries {
		shards[i] = router.Shard{Primary: router.Node{Addr: p.Addr, External: true}, Slots: p.Slots}
		if p.Slots == nil {
			shards[i].Slots = []router.Range{{From: 0, To: router.Slots - 1}}
		}
	}
	return shards, nil
}

func (s *shadow) startMirror() error {
	share, err := mirror.ParseShare(s.config.Shadow.Share)
	if err != nil {
		return fmt.Errorf("shadow.share: %w", err)
	}
	o := mirror.DefaultOptions()
	o.Share, o.Filled, o.QueueBytes = share, s.config.Shadow.Filled, s.config.Shadow.QueueMax
	o.Target = s.to.Hosts[0]
	o.TargetAuth, o.SourceAuth = backends.Auth(s.to.Login), backends.Auth(s.from.Login)
	if s.mirror, err = mirror.New(o, s.source, s.env.Log); err != nil {
		return err
	}
	if err := s.reg.Register(s.mirror); err != nil {
		return fmt.Errorf("register the shadow's metrics: %w", err)
	}
	return s.stack.start("mirror", s.mirror.Run, s.mirror.Ready())
}

func (s *shadow) startMirrored(o proxy.Options) (*proxy.Gateway, error) {
	return s.startGateway(o, s.source, func(g *proxy.Gateway) { g.Mirror(s.mirror) })
}

// serveMoved serves from where the clients were moved to by a shadow of before.
func (s *shadow) serveMoved(o proxy.Options, to string) error {
	if to != s.to.Hosts[0] {
		return fmt.Errorf("the clients of this shadow were moved to %s, and --to says %s: say another --dir to begin anew", to, s.to.Hosts[0])
	}
	o.Upstream.User, o.Upstream.Password = s.to.Login.User, s.to.Login.Password
	t, err := router.Even(clusterName, 1, []router.Node{{Addr: to, External: true}})
	if err != nil {
		return err
	}
	s.switched = to
	if s.gateway, err = s.startGateway(o, fixed{t}); err != nil {
		return err
	}
	if err := s.startAPI(); err != nil {
		return err
	}
	fmt.Fprintf(s.env.Out, "\nLarder serves at %s from %s, to which the clients were moved (%s). Nothing is mirrored.\nStop      Ctrl-C\n\n",
		s.gateway.Addr(), to, filepath.Join(s.data.path, switchedFile))
	return nil
}

func (s *shadow) welcome() error {
	flag := ""
	if usual, err := ShadowFolder(); err != nil || usual != s.data.path {
		flag = " --dir " + s.data.path
	}
	_, err := fmt.Fprintf(s.env.Out, "\nLarder serves at %s from %s, and mirrors %s of the keys to %s\n\nReport    larder shadow report%s\nMove      larder shadow switch%s\nAllowed   %s\nStop      Ctrl-C\n\n",
		s.gateway.Addr(), s.from, s.config.Shadow.Share, s.to, flag, flag, allowed(s.config.Access.Allow))
	if err != nil {
		return err
	}
	ready := make(chan struct{})
	close(ready)
	return s.stack.start("lines", s.lines, ready)
}

// move has the clients' commands go to the shadow from now on, for good. They are held back while it happens. Sure: somebody else has seen to it that it has all the data.
func (s *shadow) move(ctx context.Context, sure bool) error {
	if s.switched != "" {
		return fmt.Errorf("the clients were moved to %s already", s.switched)
	}
	if !s.halted {
		if err := s.halt(ctx); err != nil {
			return err
		}
	}
	defer s.release()
	if time.Since(s.haltedAt) > haltMost {
		return errors.New("the clients were held back for too long, and are not any more: nothing was moved; say it again")
	}
	if !sure {
		ctx, cancel := context.WithTimeout(ctx, wholeWithin)
		defer cancel()
		if err := s.mirror.Whole(ctx); err != nil {
			return fmt.Errorf("the shadow may lack data: %w; nothing was moved. Fill it by larder migrate, and say larder shadow switch -- larder migrate cutover; or say --anyway", err)
		}
	}
	to := s.to.Hosts[0]
	conn, err := s.to.Dial(ctx, to)
	if err == nil {
		_, err = conn.Do("PING")
		conn.Close()
	}
	if err != nil {
		return fmt.Errorf("the shadow does not answer, nothing was moved: %w", err)
	}
	if s.to.Login != s.from.Login && (s.to.Login.Password != "" || s.from.Login.Password != "") {
		return errors.New("the shadow's password is another than the source's, and the gateway has one for all its nodes: give both the same, or move the clients themselves")
	}
	if err := files.Replace(filepath.Join(s.data.path, switchedFile), to+"\n"); err != nil {
		return fmt.Errorf("nothing was moved: %w", err)
	}
	s.mirror.Stop()
	t, err := s.source.move(router.Node{Addr: to, External: true})
	if err != nil {
		return err
	}
	s.gateway.Adopt(t)
	s.switched = to
	s.env.Log.Warn("clients were moved to the shadow", "from", s.from.String(), "to", to, "held for", time.Since(s.haltedAt))
	return nil
}

// stop ends the mirroring.
func (s *shadow) stop() {
	if s.mirror != nil {
		s.mirror.Stop()
	}
}

// begin mirrors again. Filled: both sides have the same, and the clients are held back.
func (s *shadow) begin(filled bool) error {
	if s.switched != "" {
		return fmt.Errorf("the clients were moved to %s: nothing is left to be mirrored", s.switched)
	}
	if filled && (!s.halted || time.Since(s.haltedAt) > haltMost) {
		return errors.New("clients are not held back any more: it is not known that both have the same")
	}
	s.mirror.Begin(filled)
	if s.halted {
		s.release()
	}
	return nil
}

// halt holds the clients back, and returns when the shadow has been told all that they had said: whoever fills it then is not overtaken by what comes late.
func (s *shadow) halt(ctx context.Context) error {
	s.haltedAt, s.halted = time.Now(), false // who fails has let them go, of an earlier time too
	ctx, cancel := context.WithTimeout(ctx, haltMost)
	defer cancel()
	if err := s.gateway.Halt(ctx, haltMost); err != nil {
		return err
	}
	if err := s.mirror.Said(ctx); err != nil {
		s.gateway.Release()
		return err
	}
	s.halted = true
	return nil
}

func (s *shadow) release() {
	s.halted = false
	s.gateway.Release()
}

const (
	lookWithin  = 5 * time.Second
	lookEvery   = time.Second
	wholeWithin = 5 * time.Second  // for the last commands, and keys in doubt
	haltMost    = 30 * time.Second // for which clients are held back at most
)
