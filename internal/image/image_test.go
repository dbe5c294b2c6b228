// Package image_test builds the container image as a user would, from the Dockerfile as it is, runs it as it is, and talks to it. It needs root
// and Debian's buildah, and no registry: the builder's base is put together from this machine's own Go, C library and shell. Each container
// has a network of its own, so that it gets its default ports.
package image_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	// patience is for the build, most of which is the compiler's.
	patience = 10 * time.Minute
	// outside is an address that a container sees as not its own loopback.
	outside = "10.77.0.1"
)

func TestImage(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	b := newBuilder(ctx, t)
	b.base(baseName(t, filepath.Join(root, "Dockerfile")))
	b.build("larder", root)
	c := b.config("larder")
	checkConfig(t, c)
	checkFiles(t, b.mount(b.container("larder")))

	asItIs(t, b, c)
	forNetwork(t, b, c)
}

// checkConfig holds the image's settings against what README.md promises.
func checkConfig(t *testing.T, c config) {
	t.Helper()
	user, _, _ := strings.Cut(c.User, ":")
	if user == "" || user == "0" || strings.Trim(user, "0123456789") != "" {
		t.Errorf("runs as user %q, want the number of one without rights", c.User)
	}
	if _, ok := c.Volumes["/data"]; !ok || len(c.Volumes) != 1 {
		t.Errorf("volumes %v, want /data", c.Volumes)
	}
	for _, port := range []string{"6379", "9121"} {
		_, plain := c.ExposedPorts[port]
		if _, tcp := c.ExposedPorts[port+"/tcp"]; !plain && !tcp {
			t.Errorf("port %s is not exposed: %v", port, c.ExposedPorts)
		}
	}
	if want := []string{"CMD", "/larder", "healthcheck"}; !slices.Equal(c.Healthcheck.Test, want) {
		t.Fatalf("health check %q, want %q", c.Healthcheck.Test, want)
	}
	if !slices.Equal(c.Entrypoint, []string{"/larder"}) || len(c.Cmd) == 0 || c.Cmd[0] != "dev" {
		t.Fatalf("starts %q %q, want /larder dev …", c.Entrypoint, c.Cmd)
	}
}

// checkFiles wants the binary, the certificates and the data folder of an unprivileged owner, and nothing else.
func checkFiles(t *testing.T, root string) {
	t.Helper()
	var files []string
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, strings.TrimPrefix(path, root))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"/etc/ssl/certs/ca-certificates.crt", "/larder"}; !slices.Equal(files, want) {
		t.Errorf("the image holds %q, want %q", files, want)
	}
	info, err := os.Stat(filepath.Join(root, "data"))
	if err != nil {
		t.Fatal(err)
	}
	if owner := info.Sys().(*syscall.Stat_t).Uid; owner == 0 {
		t.Error("/data belongs to root: the container's user can't write there")
	}
}

// asItIs runs the image's own command: it serves its own loopback and nobody else, and its health check sees it live and die.
func asItIs(t *testing.T, b *builder, c config) {
	t.Helper()
	image := b.container("larder")
	run := image.start(nil, slices.Concat(c.Entrypoint, c.Cmd)...)
	run.serves("127.0.0.1")
	if got := run.redis("127.0.0.1", "SET", "pantry", "flour"); got != "OK" {
		t.Errorf("SET: %q, want OK", got)
	}
	if got := run.redis("127.0.0.1", "GET", "pantry"); got != "flour" {
		t.Errorf("GET: %q, want flour", got)
	}
	if got := run.redis(outside, "GET", "pantry"); !strings.Contains(got, "closed the connection") && !strings.Contains(got, "reset by peer") {
		t.Errorf("a stranger got %q, want to be closed", got)
	}
	if out, err := run.beside(c.Healthcheck.Test[1:]...); err != nil {
		t.Errorf("health check: %v\n%s", err, out)
	}
	if out, err := run.beside(slices.Concat(c.Entrypoint, []string{"version"})...); err != nil || !strings.Contains(string(out), version) {
		t.Errorf("version: %v\n%s, want %s", err, out, version)
	}
	run.stop()
	if out, err := image.run(c.Healthcheck.Test[1:]...); err == nil {
		t.Errorf("the health check is content where nothing runs: %s", out)
	}
}

// forNetwork runs the image as README.md says for clients outside of it.
func forNetwork(t *testing.T, b *builder, c config) {
	t.Helper()
	run := b.container("larder").start([]string{"LARDER_ACCESS_ALLOW=" + outside + "/32"}, slices.Concat(c.Entrypoint, c.Cmd)...)
	run.serves(outside)
	if got := run.redis(outside, "SET", "pantry", "salt") + run.redis(outside, "GET", "pantry"); got != "OKsalt" {
		t.Errorf("SET and GET: %q, want OKsalt", got)
	}
	run.stop()
}

// baseName is the image that the Dockerfile builds on.
func baseName(t *testing.T, dockerfile string) string {
	t.Helper()
	text, err := os.ReadFile(dockerfile)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) == 4 && f[0] == "FROM" && f[2] == "AS" && f[3] == "build" {
			return f[1]
		}
	}
	t.Fatal("Dockerfile has no line: FROM … AS build")
	return ""
}
