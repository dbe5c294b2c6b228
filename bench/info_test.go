package main

import (
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// sayer answers each connection with one text, whatever it says.
func sayer(t *testing.T, text string) *Server {
	return &Server{Name: "redis", Addr: answered(t, func(c net.Conn) {
		_, _ = io.WriteString(c, text)
		_ = c.Close()
	})}
}

// self is this process as a server's.
func self(t *testing.T) *exec.Cmd {
	p, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	return &exec.Cmd{Process: p}
}

func TestInfo(t *testing.T) {
	s := sayer(t, string(appendBulk(nil, []byte("# Replication\r\nrole:slave\r\nmaster_port:6379\r\n"))))
	for name, want := range map[string]string{"role": "slave", "master_port": "6379", "port": ""} {
		if got, err := s.infoField("replication", name); got != want || err != nil {
			t.Errorf("%s: %q, %v; want %q", name, got, err, want)
		}
	}
	for _, wrong := range []string{"-ERR no\r\n", "$5\r\nab", "", "?\r\n", "$70000\r\n" + strings.Repeat("a", 70_000)} {
		if _, err := sayer(t, wrong).ask("INFO"); err == nil {
			t.Errorf("%q was taken for INFO", wrong)
		}
	}
}

// TestSaveWatch: of a process that saves by itself its memory counts, of one that forks what it says.
func TestSaveWatch(t *testing.T) {
	said := "rdb_bgsave_in_progress:0\r\nrdb_last_bgsave_status:ok\r\ncurrent_cow_peak:10\r\nrdb_last_cow_size:700\r\n"
	w := saveWatch{s: sayer(t, string(appendBulk(nil, []byte(said)))), before: 1000, most: 1500}
	w.s.cmd = self(t)
	if over, err := w.saving(); !over || err != nil || w.extra() != 700 {
		t.Errorf("%v, %v, %d bytes", over, err, w.extra())
	}
	w.s.Name, w.before, w.most = "larder-engine", 1000, 1500
	if got := w.extra(); got != 500 {
		t.Errorf("%d bytes", got)
	}
	w.s = sayer(t, string(appendBulk(nil, []byte(strings.Replace(said, ":ok", ":err", 1)))))
	w.s.cmd = self(t)
	if _, err := w.saving(); err == nil {
		t.Error("a save that failed counts")
	}
	w.s = sayer(t, string(appendBulk(nil, []byte("rdb_bgsave_in_progress:1\r\ncurrent_cow_peak:9\r\n"))))
	w.s.cmd = self(t)
	if over, err := w.saving(); over || err != nil {
		t.Errorf("%v, %v while it runs", over, err)
	}
}

func TestAwaitInfo(t *testing.T) {
	s := sayer(t, string(appendBulk(nil, []byte("master_link_status:down\r\n"))))
	s.log = "/dev/null"
	p := plan{stopped: func() error { return nil }}
	if err := s.awaitInfo(p, "replication", "master_link_status", "down", time.Minute); err != nil {
		t.Error(err)
	}
	if err := s.awaitInfo(p, "replication", "master_link_status", "up", 0); err == nil || !strings.Contains(err.Error(), `"down"`) {
		t.Errorf("%v", err)
	}
}
