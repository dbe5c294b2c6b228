package peers

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// redisVersion is what our replies and errors are those of.
const redisVersion = "Redis version=7.0."

// StartRedis runs redis-server 7.0, without persistence, until the test ends and gives its address; args are further options ("--requirepass", "x").
func StartRedis(t testing.TB, args ...string) string {
	t.Helper()
	var p *process
	for range tries {
		dir, port := t.TempDir(), FreePort(t)
		p = start(t, dir, nil, "redis-server", append([]string{"--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--save", "", "--dir", dir}, args...)...)
		if p.ready(func() bool { return p.printed("accept connections") }) {
			t.Cleanup(p.stop)
			if !p.printed(redisVersion) {
				t.Fatalf("redis-server is not 7.0, which we are compared with; it has printed no %q", redisVersion)
			}
			return addrOf(port)
		}
		p.stop()
	}
	p.fail(t)
	return ""
}

// StartMemcached runs memcached until the test ends and gives its address; args are further options ("-m", "64").
func StartMemcached(t testing.TB, args ...string) string {
	t.Helper()
	dir := t.TempDir()
	portFile := filepath.Join(dir, "port")
	all := append([]string{"-l", "127.0.0.1", "-p", "-1", "-U", "0", "-u", "root"}, args...)
	p := start(t, dir, []string{"MEMCACHED_PORT_FILENAME=" + portFile}, "memcached", all...)
	port := 0
	ok := p.ready(func() bool {
		text, err := os.ReadFile(portFile)
		if err != nil {
			return false
		}
		_, err = fmt.Sscanf(string(text), "TCP INET: %d\n", &port)
		return err == nil
	})
	if !ok {
		p.stop()
		p.fail(t)
	}
	t.Cleanup(p.stop)
	return addrOf(port)
}

// StartNutcracker runs nutcracker in front of redis servers until the test ends and gives its address. settings are further lines of its pool
// ("timeout: 400").
func StartNutcracker(t testing.TB, servers []string, settings ...string) string {
	t.Helper()
	var p *process
	for range tries {
		dir, port, stats := t.TempDir(), FreePort(t), FreePort(t)
		file := filepath.Join(dir, "nutcracker.yml")
		if err := os.WriteFile(file, []byte(pool(addrOf(port), servers, settings)), 0o600); err != nil {
			t.Fatal(err)
		}
		p = start(t, dir, nil, "nutcracker", "-c", file, "-a", "127.0.0.1", "-s", strconv.Itoa(stats))
		if p.ready(func() bool { return answers(addrOf(port)) }) {
			t.Cleanup(p.stop)
			return addrOf(port)
		}
		p.stop()
	}
	p.fail(t)
	return ""
}

// pool is a configuration of nutcracker.
func pool(listen string, servers, settings []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "pool:\n  listen: %s\n  redis: true\n  hash: fnv1a_64\n  distribution: ketama\n  auto_eject_hosts: false\n", listen)
	for _, s := range settings {
		fmt.Fprintf(&b, "  %s\n", s)
	}
	b.WriteString("  servers:\n")
	for _, s := range servers {
		fmt.Fprintf(&b, "    - %s:1\n", s)
	}
	return b.String()
}

func addrOf(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }
