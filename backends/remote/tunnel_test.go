package remote_test

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"larder/internal/peers"
)

// TestTunnel: what is said to the socket goes to a server that speaks TLS, and back; who is refused there is told of, and nothing is left when it is closed.
func TestTunnel(t *testing.T) {
	authority := peers.NewAuthority(t, "authority")
	authority.Issue("source")
	port := strconv.Itoa(peers.FreePort(t))
	peers.StartRedis(t, "--tls-port", port, "--tls-auth-clients", "no", "--tls-ca-cert-file", authority.File("ca.pem"), "--tls-cert-file", authority.File("source.pem"),
		"--tls-key-file", authority.File("source.key"))
	addr := "127.0.0.1:" + port
	failed := make(chan error, 1)
	open := func(query string) (conn net.Conn, path string, end func() error) {
		tunnel, err := address(t, "rediss://"+addr+"?"+query).Tunnel(addr, func(err error) { failed <- err })
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = tunnel.Close() })
		conn, err = net.Dial("unix", tunnel.Path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(peers.Patience))
		return conn, tunnel.Path, tunnel.Close
	}
	conn, path, end := open("server-name=source&ca=" + authority.File("ca.pem"))
	large := strings.Repeat("v", 1<<20)
	answer := make([]byte, len("$1048576\r\n")+len(large)+2)
	go func() { _, _ = io.WriteString(conn, "*2\r\n$4\r\nECHO\r\n$1048576\r\n"+large+"\r\n") }()
	if _, err := io.ReadFull(conn, answer); err != nil || string(answer) != "$1048576\r\n"+large+"\r\n" {
		t.Error(err)
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || info.Mode().Perm() != 0o700 {
		t.Error(info, err)
	}
	if err := end(); err != nil {
		t.Error(err)
	}
	if _, err := conn.Read(answer); err == nil {
		t.Error("the connection goes on when the tunnel is closed")
	}
	if _, err := os.Stat(filepath.Dir(path)); !os.IsNotExist(err) {
		t.Error(err)
	}

	conn, _, _ = open("server-name=other&ca=" + authority.File("ca.pem"))
	if _, err := conn.Read(answer); err != io.EOF {
		t.Error(err)
	}
	if err := <-failed; !strings.Contains(err.Error(), "not other") {
		t.Error(err)
	}
}
