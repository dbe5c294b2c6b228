package backends_test

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"larder/backends"
	"larder/internal/fleet"
	"larder/internal/peers"
)

func TestMain(m *testing.M) { os.Exit(fleet.Main(m)) }

// scripted is a node that gives the answers in order, one a read, and then says nothing more.
func scripted(t *testing.T, answers ...string) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		buf := make([]byte, 4096)
		for _, answer := range answers {
			if _, err := conn.Read(buf); err != nil {
				return
			}
			_, _ = conn.Write([]byte(answer))
		}
		_, _ = conn.Read(buf) // until the other side closes
		_, _ = conn.Read(buf)
	}()
	t.Cleanup(func() { l.Close(); <-ended })
	return l.Addr().String()
}

func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestReplies(t *testing.T) {
	ctx := within(t, time.Minute)
	admin, err := backends.Dial(ctx, scripted(t, "+OK\r\n", ":42\r\n", "$-1\r\n", "*3\r\n$6\r\nmaster\r\n:7\r\n*0\r\n", "-LOADING wait\r\n", "$0\r\n\r\n"), backends.Auth{})
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	for _, want := range []string{"OK", "42", "null", "[master 7 []]", "error LOADING wait", ""} {
		reply, err := admin.Do(ctx, "X")
		got := show(reply)
		if refused := (*backends.Refused)(nil); errors.As(err, &refused) {
			got = "error " + refused.Text
		} else if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func show(r backends.Reply) string {
	switch {
	case r.Null:
		return "null"
	case r.List != nil:
		words := make([]string, len(r.List))
		for i, element := range r.List {
			words[i] = show(element)
		}
		return "[" + strings.Join(words, " ") + "]"
	}
	return r.Text
}

func TestAnotherProtocol(t *testing.T) {
	ctx := within(t, time.Minute)
	admin, err := backends.Dial(ctx, scripted(t, "HTTP/1.1 400 Bad Request\r\n"), backends.Auth{})
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	if _, err := admin.Do(ctx, "PING"); err == nil || !strings.Contains(err.Error(), `no Redis protocol: the answer begins with 'H'`) {
		t.Error(err)
	}
}

func TestSilentNodeEndsWithContext(t *testing.T) {
	admin, err := backends.Dial(within(t, time.Minute), scripted(t), backends.Auth{})
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	if _, err := admin.Do(within(t, 20*time.Millisecond), "PING"); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestDialRefused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if _, err := backends.Dial(within(t, time.Minute), l.Addr().String(), backends.Auth{}); err == nil || !strings.Contains(err.Error(), l.Addr().String()) {
		t.Error(err)
	}
}

func TestAuthAtRedis(t *testing.T) {
	addr := peers.StartRedis(t, "--requirepass", "secret", "--user", "ops", "on", ">opspass", "+ping")
	for _, test := range []struct {
		auth backends.Auth
		want string // part of the error, or "" for none
	}{
		{backends.Auth{Password: "secret"}, ""},
		{backends.Auth{User: "ops", Password: "opspass"}, ""},
		{backends.Auth{}, "NOAUTH"},
		{backends.Auth{Password: "wrong"}, "WRONGPASS"},
		{backends.Auth{User: "ops", Password: "secret"}, "WRONGPASS"},
	} {
		err := ping(t, addr, test.auth)
		refused := (*backends.Refused)(nil)
		if test.want == "" && err != nil || test.want != "" && (!errors.As(err, &refused) || !strings.HasPrefix(refused.Text, test.want)) {
			t.Errorf("%+v: got %v, want %q", test.auth, err, test.want)
		}
	}
}

func ping(t *testing.T, addr string, auth backends.Auth) error {
	ctx := within(t, time.Minute)
	admin, err := backends.Dial(ctx, addr, auth)
	if err != nil {
		return err
	}
	defer admin.Close()
	reply, err := admin.Do(ctx, "PING")
	if err == nil && reply.Text != "PONG" {
		t.Errorf("PING answers %+v", reply)
	}
	return err
}
