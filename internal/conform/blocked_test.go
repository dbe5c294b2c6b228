package conform_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"larder/internal/conform"
	"larder/internal/fleet"
)

// scenes are those of testdata/blocked.
func scenes(t *testing.T) (all []conform.Scene) {
	t.Helper()
	paths, err := filepath.Glob("testdata/blocked/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no scenes: %v", err)
	}
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		found, err := conform.ParseScenes(filepath.Base(path), f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	return all
}

// TestBlocked: several clients who wait are answered, at each step, as a redis-server answers them.
func TestBlocked(t *testing.T) {
	ref, sub := redisEndpoint(t, reference), conform.Endpoint{Name: "node", Addr: fleet.Node(t)}
	for proto := 2; proto <= 3; proto++ {
		stage := conform.Stage{Ref: ref, Sub: sub, Proto: proto}
		for _, scene := range scenes(t) {
			if scene.Proto != 0 && scene.Proto != proto {
				continue
			}
			t.Run(fmt.Sprintf("%s RESP%d", scene.Name, proto), func(t *testing.T) { play(t, &stage, &scene) })
		}
	}
}

func play(t *testing.T, stage *conform.Stage, scene *conform.Scene) {
	t.Helper()
	found, err := stage.Play(scene)
	for i := range found {
		t.Errorf("%v", &found[i])
	}
	if err != nil {
		t.Error(err)
	}
}

// TestBlockedInterleaved: the same for scenes that are drawn. Of one that differs it prints the fewest acts that still do.
func TestBlockedInterleaved(t *testing.T) {
	const rounds, acts = 30, 80
	ref, sub := redisEndpoint(t, reference), conform.Endpoint{Name: "node", Addr: fleet.Node(t)}
	draw := conform.NewInterleaver(dice(t, 20))
	for round := range rounds {
		stage := conform.Stage{Ref: ref, Sub: sub, Proto: 2 + round%2}
		scene := draw.Scene(fmt.Sprintf("round %d", round), acts)
		found, err := stage.Play(&scene)
		if len(found) == 0 && err == nil {
			continue
		}
		t.Errorf("%v %v", found, err)
		left := conform.Shrink(scene.Acts, 200, func(acts []conform.Act) bool {
			found, err := stage.Play(&conform.Scene{Name: "shrunk", Acts: acts})
			return err == nil && len(found) > 0
		})
		for i := range left {
			t.Logf("    %s", &left[i])
		}
		if found, _ = stage.Play(&conform.Scene{Name: "shrunk", Acts: left}); len(found) > 0 {
			t.Errorf("%v", &found[0])
		}
		return
	}
}
