package api

import (
	"fmt"
	"net/http"

	"larder/control"
	"larder/persistence"
	"larder/persistence/snapshot"
)

// Snapshot is what is told of one.
type Snapshot struct {
	*snapshot.Manifest
	Folder      string `json:"folder"`
	StoredBytes int64  `json:"stored_bytes"`
}

// Snapshots is the list; Broken has what cannot be read, and why.
type Snapshots struct {
	Snapshots []Snapshot        `json:"snapshots"`
	Broken    map[string]string `json:"broken,omitempty"`
}

// Create asks for a snapshot.
type Create struct {
	Name string `json:"name"`
}

// Copy asks for a copy. Without To it goes into the same store.
type Copy struct {
	To string `json:"to,omitempty"`
	As string `json:"as"`
}

func (s *server) list(a *control.Agent, r *http.Request) (int, any, error) {
	return listOf(a.Store(), r)
}

// listAll needs no cluster: the last snapshot of one that is gone is wanted too.
func (s *server) listAll(r *http.Request) (int, any, error) { return listOf(s.o.Store, r) }

func listOf(store snapshot.Store, r *http.Request) (int, any, error) {
	list, broken, err := store.List(r.Context())
	answer := Snapshots{Snapshots: []Snapshot{}}
	for _, f := range list {
		answer.Snapshots = append(answer.Snapshots, Snapshot{f.Manifest, f.Folder, f.Bytes})
	}
	for folder, wrong := range broken {
		if answer.Broken == nil {
			answer.Broken = map[string]string{}
		}
		answer.Broken[folder] = wrong.Error()
	}
	return http.StatusOK, answer, err
}

func (s *server) create(a *control.Agent, r *http.Request) (int, any, error) {
	var want Create
	if err := body(r, &want); err != nil {
		return 0, nil, err
	}
	task, err := a.Create(want.Name)
	return http.StatusAccepted, task, err
}

func (s *server) show(a *control.Agent, r *http.Request) (int, any, error) {
	f, err := a.Snapshot(r.Context(), r.PathValue("name"))
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, Snapshot{f.Manifest, f.Folder, f.Bytes}, nil
}

func (s *server) showAny(r *http.Request) (int, any, error) {
	f, err := s.o.Store.Find(r.Context(), r.PathValue("name"))
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, Snapshot{f.Manifest, f.Folder, f.Bytes}, nil
}

// removeAny has whoever looks after the snapshot's cluster delete it, if there is one.
func (s *server) removeAny(r *http.Request) (int, any, error) {
	f, err := s.o.Store.Find(r.Context(), r.PathValue("name"))
	if err != nil {
		return 0, nil, err
	}
	if c, here := s.o.Clusters.Cluster(f.Manifest.Cluster); here && c.Agent != nil {
		return s.remove(c.Agent, r)
	}
	return http.StatusOK, nothing{}, s.o.Store.Delete(r.Context(), f)
}

func (s *server) remove(a *control.Agent, r *http.Request) (int, any, error) {
	return http.StatusOK, struct{}{}, a.Delete(r.Context(), r.PathValue("name"))
}

func (s *server) verify(a *control.Agent, r *http.Request) (int, any, error) {
	task, err := a.Verify(r.Context(), r.PathValue("name"))
	return http.StatusAccepted, task, err
}

func (s *server) copy(a *control.Agent, r *http.Request) (int, any, error) {
	var want Copy
	if err := body(r, &want); err != nil {
		return 0, nil, err
	}
	to := a.Store()
	if want.To != "" {
		if s.o.Open == nil {
			return 0, nil, fmt.Errorf("copy to %s: %w: this appliance has one store", want.To, persistence.ErrInvalid)
		}
		var err error
		if to, err = s.o.Open(want.To); err != nil {
			return 0, nil, fmt.Errorf("copy to %s: %w: %w", want.To, persistence.ErrInvalid, err)
		}
	}
	task, err := a.Copy(r.Context(), r.PathValue("name"), to, want.As)
	return http.StatusAccepted, task, err
}

// object gives one of a snapshot's objects as it lies in the store, decrypted.
func (s *server) object(a *control.Agent, r *http.Request) (int, any, error) {
	in, err := a.Object(r.Context(), r.PathValue("name"), r.PathValue("object"))
	return http.StatusOK, in, err
}
