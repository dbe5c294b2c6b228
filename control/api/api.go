// Package api is the management API: HTTP and JSON, by which the operator's commands (control/api/client) and later the console see and change what an Agent
// looks after. docs/api.md has its paths. What must hold: without the key nothing is told or done; an error says what was wrong and what to do, with a code
// that programs decide on; nothing that takes long is waited for but by who asks to.
package api

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"larder/control"
	"larder/control/config"
	"larder/control/migrate"
	"larder/persistence"
	"larder/persistence/snapshot"
)

// Options say what is served.
type Options struct {
	Key      string // that who asks must have
	Clusters Clusters
	Manager  Manager                                    // nil: this process looks after no fleet
	Config   *config.Keeper                             // of the gateways' settings; nil: there are none
	Store    snapshot.Store                             // where the clusters' snapshots are
	Open     func(place string) (snapshot.Store, error) // another store, as users name it; nil: none can be named
}

// Clusters are those that this process looks after. They may come and go while requests are answered.
type Clusters interface {
	Names() []string // in order
	Cluster(name string) (Served, bool)
}

// Served is what a cluster is asked by.
type Served struct {
	Agent    *control.Agent
	Migrator *migrate.Migrator // nil: it has no migrations
	Endpoint string            // host:port, where its clients connect; empty: there is none in this process
}

// bodyMax is how long a request's body may be.
const bodyMax = 1 << 20

// waitMax is how long a request may wait for a task's end.
const waitMax = 30 * time.Second

// server answers requests.
type server struct{ o Options }

// New makes the handler.
func New(o Options) http.Handler {
	if o.Store.Bucket == nil {
		o.Store.Bucket = persistence.Absent("this appliance has none")
	}
	s := &server{o}
	mux := http.NewServeMux()
	for _, r := range s.routes() {
		mux.HandleFunc(r.method+" "+r.path, r.handle)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, http.StatusNotFound, CodeUnknown, r.Method+" "+r.URL.Path+": there is no such path in this API")
	})
	return s.known(mux)
}

// known lets only those in who have the key.
func (s *server) known(next http.Handler) http.Handler {
	want := []byte("Bearer " + s.o.Key)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), want) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			s.fail(w, http.StatusUnauthorized, "unauthorized", "the API's key is missing or wrong: it is in the file api.json of the appliance's folder, or in LARDER_API_KEY")
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, bodyMax)
		next.ServeHTTP(w, r)
	})
}

// handler answers about one cluster that this process serves.
type handler func(a *control.Agent, r *http.Request) (status int, answer any, err error)

func (s *server) of(h handler) http.HandlerFunc {
	return s.say(func(r *http.Request) (int, any, error) {
		name := r.PathValue("cluster")
		c, ok := s.o.Clusters.Cluster(name)
		if !ok || c.Agent == nil {
			return 0, nil, s.unminded(r.Context(), name)
		}
		return h(c.Agent, r)
	})
}

// unminded says why nobody looks after a cluster's data.
func (s *server) unminded(ctx context.Context, name string) error {
	if s.o.Manager != nil {
		switch c, err := s.o.Manager.Cluster(ctx, name); {
		case err != nil:
			return err
		case c.State == Creating:
			return Refuse(CodeBusy, "cluster %s does not serve yet: larder cluster show %s says why", name, name)
		case c.State == Deleting:
			return Refuse(CodeBusy, "cluster %s is being deleted", name)
		default:
			return Refuse(CodeNoLeader, "the controller that leads has just begun to, and does not look after cluster %s yet: try again in a moment", name)
		}
	}
	return Refuse(CodeUnknown, "there is no cluster %q", name)
}

// say makes an answer, or an error, of what a function gives.
func (s *server) say(h func(r *http.Request) (status int, answer any, err error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		status, answer, err := h(r)
		if err != nil {
			status, code := judge(err)
			s.fail(w, status, code, err.Error())
			return
		}
		if in, ok := answer.(io.ReadCloser); ok {
			s.stream(w, in)
			return
		}
		s.answer(w, status, answer)
	}
}

// statuses of codes; whatever else a code is, it is the store's: a bad gateway.
var statuses = map[string]int{
	CodeInUse: http.StatusConflict, CodeConfirm: http.StatusConflict, CodeNoRoom: http.StatusConflict, CodeRegistry: http.StatusServiceUnavailable, CodeNoFleet: http.StatusNotFound, CodeNoLeader: http.StatusServiceUnavailable,
	"unknown": http.StatusNotFound, "taken": http.StatusConflict, "busy": http.StatusConflict, "not-empty": http.StatusConflict, "invalid": http.StatusBadRequest,
	"store-full": http.StatusInsufficientStorage, "failed": http.StatusInternalServerError,
}

// judge says what an error is to programs.
func judge(err error) (status int, code string) {
	if errors.Is(err, errBody) {
		return http.StatusBadRequest, "invalid"
	}
	if status, code, known := judgeMigration(err); known {
		return status, code
	}
	code = control.Code(err)
	if refused := (*Refusal)(nil); errors.As(err, &refused) {
		code = refused.Code
	}
	if status, known := statuses[code]; known {
		return status, code
	}
	return http.StatusBadGateway, code
}

// Problem is what an error is told as.
type Problem struct {
	Code  string `json:"code"`
	Error string `json:"error"`
}

func (s *server) fail(w http.ResponseWriter, status int, code, text string) {
	s.answer(w, status, Problem{Code: code, Error: text})
}

func (s *server) answer(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	text, err := json.MarshalIndent(answer, "", "  ")
	if err != nil {
		panic(err) // answers are types of ours, which can be encoded
	}
	_, _ = w.Write(append(text, '\n')) // the one who asked has gone
}

// stream sends bytes. One that breaks off breaks the connection off: nobody takes half of it for all.
func (s *server) stream(w http.ResponseWriter, in io.ReadCloser) {
	defer in.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	if _, err := io.Copy(w, in); err != nil {
		panic(http.ErrAbortHandler)
	}
}

// errBody is what gives a body that cannot be read.
var errBody = errors.New("the request's body is wrong")

func body(r *http.Request, into any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("%w: %w", errBody, err)
	}
	return nil
}

// Events are in the order in which they happened.
type Events struct {
	Events []Event `json:"events"`
}

// Tasks are what an agent does for one cluster, the newest first.
type Tasks struct {
	Tasks []control.Task `json:"tasks"`
}

func (s *server) tasks(a *control.Agent, _ *http.Request) (int, any, error) {
	return http.StatusOK, Tasks{a.Tasks()}, nil
}

// task answers at once, or with ?wait=SECONDS when the task is over.
func (s *server) task(a *control.Agent, r *http.Request) (int, any, error) {
	ctx, cancel := within(r)
	defer cancel()
	task, err := a.Task(ctx, r.PathValue("task"))
	return http.StatusOK, task, err
}

// within is how long a request wants to wait for a task's end.
func within(r *http.Request) (context.Context, context.CancelFunc) {
	seconds, _ := strconv.ParseFloat(r.URL.Query().Get("wait"), 64)
	return context.WithTimeout(r.Context(), min(waitMax, time.Duration(seconds*float64(time.Second))))
}

func (s *server) cancel(a *control.Agent, r *http.Request) (int, any, error) {
	return http.StatusAccepted, struct{}{}, a.Cancel(r.PathValue("task"))
}
