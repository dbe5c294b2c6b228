package image_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// builder is buildah with a storage of its own, which goes with the test.
type builder struct {
	t       *testing.T
	ctx     context.Context
	program string
	storage []string
	env     goEnv
}

// version is what the image is told to be.
const version = "v0.0.0-test"

// goEnv is what of this machine's Go the build needs.
type goEnv struct{ GOROOT, GOMODCACHE, GOCACHE string }

func newBuilder(ctx context.Context, t *testing.T) *builder {
	t.Helper()
	program, err := exec.LookPath("buildah")
	if err != nil {
		t.Fatalf("builds the image with buildah (make packages, or apt-get install buildah): %v", err)
	}
	if os.Getuid() != 0 {
		t.Fatal("builds and runs the image without user namespaces: needs root")
	}
	b := &builder{t: t, ctx: ctx, program: program}
	dir := t.TempDir()
	b.storage = []string{"--storage-driver", "vfs", "--root", filepath.Join(dir, "root"), "--runroot", filepath.Join(dir, "run")}
	if err := json.Unmarshal([]byte(b.output("go", "env", "-json")), &b.env); err != nil {
		t.Fatalf("read go env: %v", err)
	}
	// The build in the container asks the network for nothing: what `go mod download` there would fetch is fetched here.
	b.output("go", "mod", "download")
	return b
}

// output runs a program and gives what it printed; it must succeed.
func (b *builder) output(program string, args ...string) string {
	b.t.Helper()
	cmd := exec.CommandContext(b.ctx, program, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		b.t.Fatalf("%s %s: %v\n%s%s", program, strings.Join(args, " "), err, out.String(), errs.String())
	}
	return strings.TrimSpace(out.String())
}

func (b *builder) buildah(args ...string) string {
	b.t.Helper()
	return b.output(b.program, slices.Concat(b.storage, args)...)
}

// base makes the image the Dockerfile builds on: a shell and what it is linked with, certificates, and a place for Go, whose tree comes as a
// volume: copied it would be copied again with each step.
func (b *builder) base(name string) {
	b.t.Helper()
	container := b.buildah("from", "scratch")
	for _, file := range b.linked("/bin/sh", "/bin/mkdir") {
		b.buildah("copy", container, file, file)
	}
	b.buildah("copy", container, "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/certs/ca-certificates.crt")
	b.buildah("copy", container, b.t.TempDir(), "/tmp")
	b.buildah("config", "--env", "PATH=/usr/local/go/bin:/bin", "--env", "GOPATH=/go", "--env", "HOME=/root",
		"--env", "GOTOOLCHAIN=local", "--env", "GOPROXY=off", "--env", "GOFLAGS=-modcacherw -buildvcs=false", container)
	b.buildah("commit", "--rm", container, name)
}

// linked are the programs with the libraries that they are linked with.
func (b *builder) linked(programs ...string) []string {
	b.t.Helper()
	files := slices.Clone(programs)
	for word := range strings.FieldsSeq(b.output("ldd", programs...)) {
		if strings.HasPrefix(word, "/") && !strings.HasSuffix(word, ":") {
			files = append(files, word)
		}
	}
	slices.Sort(files)
	return slices.Compact(files)
}

// build builds the Dockerfile of a folder as `make image` does; Go's tree and caches are this machine's.
func (b *builder) build(name, dir string) {
	b.t.Helper()
	b.buildah("bud", "--isolation", "chroot", "--pull-never", "--format", "docker", "--tag", name, "--build-arg", "VERSION="+version,
		"--volume", b.env.GOROOT+":/usr/local/go:ro", "--volume", b.env.GOMODCACHE+":/go/pkg/mod",
		"--volume", b.env.GOCACHE+":/root/.cache/go-build", dir)
}

// config is what an image says of how it is run.
type config struct {
	User         string
	Volumes      map[string]struct{}
	ExposedPorts map[string]struct{}
	Entrypoint   []string
	Cmd          []string
	Healthcheck  struct{ Test []string }
}

func (b *builder) config(image string) config {
	b.t.Helper()
	var inspected struct {
		Docker struct {
			Config config `json:"config"`
		}
	}
	if err := json.Unmarshal([]byte(b.buildah("inspect", "--type", "image", image)), &inspected); err != nil {
		b.t.Fatalf("read the image's settings: %v", err)
	}
	return inspected.Docker.Config
}

// container makes an image ready to run.
func (b *builder) container(image string) container {
	b.t.Helper()
	return container{b: b, name: b.buildah("from", "--pull-never", image)}
}

// mount gives the folder with a container's files.
func (b *builder) mount(c container) string {
	b.t.Helper()
	return b.buildah("mount", c.name)
}
