package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"larder/backends"
	"larder/configs"
)

// Healthcheck asks a process on this machine whether it serves, as a container's health check does. target is
// http://…/readyz, or redis://host:port for a PING; empty = what the configuration says: /readyz at metrics.listen, or
// a PING at gateway.listen if metrics are off. nil is yes.
func Healthcheck(ctx context.Context, c configs.Config, target string) error {
	if target == "" {
		var err error
		if target, err = ownTarget(c); err != nil {
			return err
		}
	}
	u, err := url.Parse(target)
	if err != nil {
		return fmt.Errorf("--url: %w", err)
	}
	switch u.Scheme {
	case "http", "https":
		return askReady(ctx, target)
	case "redis":
		return ping(ctx, u.Host, c.Gateway.Password)
	default:
		return fmt.Errorf("--url %q: must begin with http://, https:// or redis://", target)
	}
}

func ownTarget(c configs.Config) (string, error) {
	scheme, listen, path := "redis://", c.Gateway.Listen, ""
	if c.Metrics.Listen != "" && c.Metrics.Listen != configs.Off {
		scheme, listen, path = "http://", c.Metrics.Listen, "/readyz"
	}
	host, port := connectTo(listen)
	if port == "0" {
		return "", fmt.Errorf("%s has no port of its own: say --url", listen)
	}
	return scheme + net.JoinHostPort(host, port) + path, nil
}

func askReady(ctx context.Context, target string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	reply, err := client.Do(request)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	const enough = 1024
	said, err := io.ReadAll(io.LimitReader(reply.Body, enough))
	if err != nil {
		return fmt.Errorf("%s: %w", target, err)
	}
	if reply.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s: %s", target, reply.Status, strings.TrimSpace(string(said)))
	}
	return nil
}

// ping takes a process that wants another password for well, and one that cannot save: started anew it would have lost what it has.
func ping(ctx context.Context, addr, password string) error {
	admin, err := backends.Dial(ctx, addr, backends.Auth{Password: password})
	if err == nil {
		defer admin.Close()
		_, err = admin.Do(ctx, "PING")
	}
	refused := (*backends.Refused)(nil)
	if !errors.As(err, &refused) {
		return err
	}
	for _, prefix := range []string{"NOAUTH", "WRONGPASS", "ERR AUTH", "MISCONF"} {
		if strings.HasPrefix(refused.Text, prefix) {
			return nil
		}
	}
	return err
}
