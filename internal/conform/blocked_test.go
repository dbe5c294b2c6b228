package conform_test

import (
	"fmt"
	"testing"

	"larder/internal/conform"
	"larder/internal/fleet"
)

// scenes are those of testdata/blocked.
func scenes(t *testing.T) []conform.Scene {
	t.Helper()
	return parsed(t, "testdata/blocked/*.txt", conform.ParseScenes)
}

// TestBlocked: several clients who wait are answered, at each step, as a redis-server answers them.
func TestBlocked(t *testing.T) {
	for _, e := range endpoints {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel() // much of it is waiting
			sub := conform.Endpoint{Name: e.name, Addr: e.start(t), Tags: e.tags}
			for proto := 2; proto <= 3; proto++ {
				stage := conform.Stage{Ref: redisEndpoint(t, reference), Sub: sub, Proto: proto}
				for _, scene := range scenes(t) {
					if scene.Proto != 0 && scene.Proto != proto || !scene.RunsOn(&sub) {
						continue
					}
					t.Run(fmt.Sprintf("%s RESP%d", scene.Name, proto), func(t *testing.T) { play(t, &stage, &scene) })
				}
			}
		})
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
