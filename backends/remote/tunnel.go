package remote

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"sync"
)

// Tunnel is how one who speaks no TLS reaches a server that speaks nothing else: a socket of this machine. What connects there is connected with the server.
// Nobody but this user finds it: the server may know those who come by their certificate alone.
type Tunnel struct {
	Path string // of the socket

	address  Address
	to       string
	failed   func(error)
	listener net.Listener
	end      context.CancelFunc
	running  sync.WaitGroup
}

// Tunnel opens one to one of the address's servers. failed is told why a connection did not come to be, on any goroutine.
func (a Address) Tunnel(addr string, failed func(error)) (*Tunnel, error) {
	dir, err := os.MkdirTemp("", "larder-tunnel-") // short: a socket's path has no room for more than some hundred letters
	if err != nil {
		return nil, err
	}
	t := &Tunnel{Path: filepath.Join(dir, "server"), address: a, to: addr, failed: failed}
	if t.listener, err = net.Listen("unix", t.Path); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	t.start()
	return t, nil
}

// Close ends it and all its connections.
func (t *Tunnel) Close() error {
	t.end()
	err := t.listener.Close()
	t.running.Wait()
	return errors.Join(err, os.RemoveAll(filepath.Dir(t.Path)))
}

// carry connects one that came with the server, until either side or ctx ends.
func (t *Tunnel) carry(ctx context.Context, near net.Conn) {
	defer near.Close()
	d := net.Dialer{Timeout: dialWithin}
	far, err := d.DialContext(ctx, "tcp", t.to)
	if err == nil {
		far, err = t.address.secure(ctx, far, t.to)
	}
	if err != nil {
		if ctx.Err() == nil {
			t.failed(err)
		}
		return
	}
	defer far.Close()
	defer endWith(ctx, near)()
	defer endWith(ctx, far)()
	t.copyBoth(near, far)
}
