package consul

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"larder/backends/registry"
)

// AddressDefault is where an agent listens that was told nothing else.
const AddressDefault = "http://127.0.0.1:8500"

// Options say which agent is asked, and as whom.
type Options struct {
	Address    string // of the agent on this machine: http://host:port, https://host:port or unix:///path
	Token      string // what ACLs know this process by; empty = anonymous
	TokenFile  string // a file with it, read again when it changes; not together with Token
	Datacenter string // empty = the agent's
	Namespace  string // of Consul Enterprise; empty = the token's
	Prefix     string // stands before every key; empty = nothing does
	CAFile     string // certificates to trust, in PEM; empty = the system's
	CertFile   string // of the client, with KeyFile; empty = none is shown
	KeyFile    string
	ServerName string        // that the agent's certificate must have; empty = the address's host
	Timeout    time.Duration // of a request, from connecting to the answer's last byte
	Wait       time.Duration // how long a watch waits in one request
}

// Limits of Options.
const (
	prefixMaxBytes = 128 // keys beneath it are so much shorter
	timeoutMin     = 100 * time.Millisecond
	waitMin        = time.Second
	waitMax        = 10 * time.Minute // Consul's own
)

// DefaultOptions asks the agent of this machine.
func DefaultOptions() Options {
	return Options{Address: AddressDefault, Timeout: 10 * time.Second, Wait: 5 * time.Minute}
}

// Validate says what is wrong, in words that show no secret. Files are looked at by New.
func (o Options) Validate() error {
	if _, err := parseAddress(o.Address); err != nil {
		return err
	}
	switch {
	case o.Token != "" && o.TokenFile != "":
		return errors.New("the token is given both ways: must be itself or a file")
	case strings.ContainsAny(o.Token, " \t\r\n"):
		return errors.New("the token has blanks or line breaks in it")
	case (o.CertFile == "") != (o.KeyFile == ""):
		return errors.New("a client's certificate needs its key, and a key its certificate: must be both files or none")
	case len(o.Prefix) > prefixMaxBytes || registry.CheckKey(o.Prefix+"larder") != nil:
		return fmt.Errorf("prefix %q: must be at most %d bytes, such as staging/, and not begin with a slash nor have empty parts, dots or control characters", o.Prefix, prefixMaxBytes)
	case o.Timeout < timeoutMin:
		return fmt.Errorf("timeout %s: must be at least %s", o.Timeout, timeoutMin)
	case o.Wait < waitMin || o.Wait > waitMax:
		return fmt.Errorf("wait %s: must be from %s to %s", o.Wait, waitMin, waitMax)
	}
	return nil
}

// place is an agent's address in parts.
type place struct {
	scheme string
	host   string // host:port
	socket string // a path instead
}

const wantAddress = "must be http://host:port, https://host:port or unix:///path"

func parseAddress(address string) (place, error) {
	u, err := url.Parse(address)
	if err != nil {
		return place{}, errors.New("the address cannot be read: " + wantAddress) // it may have a password in it
	}
	if u.User != nil || strings.Contains(address, "@") { // also where it is no URL's user
		return place{}, errors.New("the address has a user or a password in it: " + wantAddress + ", and the token apart")
	}
	if u.Scheme == "unix" && u.Host == "" && u.Path != "" {
		return place{scheme: "http", host: "localhost", socket: u.Path}, nil
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return place{}, fmt.Errorf("address %q: %s", address, wantAddress)
	}
	if u.Port() != "" {
		return place{scheme: u.Scheme, host: u.Host}, nil
	}
	port := "8500"
	if u.Scheme == "https" {
		port = "8501"
	}
	return place{scheme: u.Scheme, host: net.JoinHostPort(u.Hostname(), port)}, nil
}
