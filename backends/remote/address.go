package remote

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// Kind says how the servers of an Address are found.
type Kind uint8

// The kinds.
const (
	Single   Kind = iota // the server itself
	Sentinel             // sentinels, which know the primary
	Cluster              // some nodes of a Redis Cluster, which know the others
)

// Address is one server, or several that hold one keyspace, as users write it:
//
//	redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]
//	redis+cluster://[…@]HOST:PORT[,HOST:PORT…]
//	redis+sentinel://[…@]HOST:PORT[,HOST:PORT…]/NAME[/DATABASE]
//
// rediss in the place of redis is TLS. Behind a ? may stand ca=FILE, cert=FILE and key=FILE, server-name=NAME, insecure=yes, and sentinel-user and
// sentinel-password, which the sentinels want to hear.
type Address struct {
	Kind          Kind
	Hosts         []string // host:port of the server, the sentinels or the nodes
	Master        string   // the name that the sentinels know it by
	Login         Login
	SentinelLogin Login
	DB            int  // that is meant; AllDBs = all of them
	TLS           bool // the rest is for it
	CA, Cert, Key string
	ServerName    string // empty: the host that is dialled
	Insecure      bool   // anybody may be the server
}

// AllDBs stands for all databases.
const AllDBs = -1

// Login is what a server wants to hear first. An empty password: nothing is said. An empty user: the default user's password.
type Login struct{ User, Password string }

const (
	portRedis    = "6379"
	portSentinel = "26379"
	databasesMax = 1 << 20
)

// Parse reads an address. Errors: ErrAddress.
func Parse(text string) (Address, error) {
	a := Address{DB: AllDBs}
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		return a, wrong("it has no ://; an address is redis://HOST:PORT, rediss:// for TLS, redis+cluster:// or redis+sentinel://")
	}
	base, how, _ := strings.Cut(scheme, "+")
	switch base {
	case "redis":
	case "rediss":
		a.TLS = true
	default:
		return a, wrong("%q is neither redis nor rediss", base)
	}
	kinds := map[string]Kind{"": Single, "cluster": Cluster, "sentinel": Sentinel}
	kind, known := kinds[how]
	if !known {
		return a, wrong("%q behind the + is neither cluster nor sentinel", how)
	}
	a.Kind = kind
	rest, query, _ := strings.Cut(rest, "?")
	rest, err := a.login(rest)
	if err != nil {
		return a, err
	}
	hosts, path, _ := strings.Cut(rest, "/")
	if err := a.hosts(hosts); err != nil {
		return a, err
	}
	if err := a.path(path); err != nil {
		return a, err
	}
	return a, a.settings(query)
}

func wrong(what string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrAddress, fmt.Sprintf(what, args...))
}

// login takes what stands before the last @.
func (a *Address) login(rest string) (string, error) {
	at := strings.LastIndexByte(rest, '@')
	if at < 0 {
		return rest, nil
	}
	user, password, _ := strings.Cut(rest[:at], ":")
	var err1, err2 error
	a.Login.User, err1 = url.PathUnescape(user)
	a.Login.Password, err2 = url.PathUnescape(password)
	if err1 != nil || err2 != nil {
		return "", wrong("what stands before the @ has a %% that is not followed by two hexadecimal digits: write %%25 for the sign itself")
	}
	return rest[at+1:], nil
}

func (a *Address) hosts(list string) error {
	port := portRedis
	if a.Kind == Sentinel {
		port = portSentinel
	}
	for host := range strings.SplitSeq(list, ",") {
		if host == "" {
			return wrong("a host is missing")
		}
		name, number, err := net.SplitHostPort(host)
		if err != nil { // no port
			name, number = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"), port
		}
		if n, err := strconv.ParseUint(number, 10, 16); err != nil || n == 0 || name == "" || strings.ContainsAny(name, "[]") {
			return wrong("%q is no HOST:PORT", host)
		}
		a.Hosts = append(a.Hosts, net.JoinHostPort(name, number))
	}
	if a.Kind == Single && len(a.Hosts) > 1 {
		return wrong("it names %d hosts: several are redis+cluster:// or redis+sentinel://", len(a.Hosts))
	}
	return nil
}

// path is what stands behind the hosts: the sentinels' name for it, the database.
func (a *Address) path(path string) error {
	path = strings.TrimSuffix(path, "/")
	if a.Kind == Sentinel {
		a.Master, path, _ = strings.Cut(path, "/")
		if a.Master == "" {
			return wrong("behind the sentinels must stand / and the name that they know the primary by")
		}
	}
	if path == "" {
		return nil
	}
	n, err := strconv.ParseUint(path, 10, 32)
	if err != nil || n > databasesMax {
		return wrong("%q behind the last / is no number of a database", path)
	}
	if a.Kind == Cluster && n > 0 {
		return wrong("a Redis Cluster has no database %d", n)
	}
	a.DB = int(n)
	return nil
}

func (a *Address) settings(query string) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return wrong("what stands behind the ? is not NAME=VALUE&NAME=VALUE")
	}
	known := map[string]*string{
		"ca": &a.CA, "cert": &a.Cert, "key": &a.Key, "server-name": &a.ServerName,
		"sentinel-user": &a.SentinelLogin.User, "sentinel-password": &a.SentinelLogin.Password,
	}
	for name, all := range values {
		value := all[len(all)-1]
		if name == "insecure" {
			a.Insecure = value == "yes" || value == "true" || value == "1"
			continue
		}
		field := known[name]
		if field == nil {
			return wrong("%q behind the ? is not known: ca, cert, key, server-name, insecure, sentinel-user and sentinel-password are", name)
		}
		*field = value
	}
	if !a.TLS && (a.CA != "" || a.Cert != "" || a.Key != "" || a.ServerName != "" || a.Insecure) {
		return wrong("it has settings of TLS and is not rediss://")
	}
	return nil
}

// String is the address without passwords.
func (a Address) String() string {
	var b strings.Builder
	b.WriteString("redis")
	if a.TLS {
		b.WriteByte('s')
	}
	b.WriteString(map[Kind]string{Sentinel: "+sentinel", Cluster: "+cluster"}[a.Kind])
	b.WriteString("://")
	if a.Login.User != "" {
		b.WriteString(url.PathEscape(a.Login.User) + "@")
	}
	b.WriteString(strings.Join(a.Hosts, ","))
	if a.Master != "" {
		b.WriteString("/" + a.Master)
	}
	if a.DB != AllDBs {
		b.WriteString("/" + strconv.Itoa(a.DB))
	}
	return b.String()
}

func hasPrefix(text string, prefixes ...string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(text, p) {
			return true
		}
	}
	return false
}
