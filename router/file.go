package router

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// The file form, given to `larder gateway --topology FILE`:
//
//	{"cluster": "main", "epoch": 7, "shards": [
//	  {"primary": {"id": "n0", "addr": "10.0.0.1:6379", "external": false},
//	   "replicas": [{"id": "n3", "addr": "10.0.0.4:6379"}],
//	   "slots": ["0-5455", "8000"]}]}
//
// A field that is unknown or given twice is an error, and so is text behind the object. Every error names the line and the field's path.

// fileForm mirrors the file for writing; reading walks the tokens, so that errors can say where.
type fileForm struct {
	Cluster string      `json:"cluster"`
	Epoch   uint64      `json:"epoch"`
	Shards  []shardForm `json:"shards"`
}

type shardForm struct {
	Primary  nodeForm   `json:"primary"`
	Replicas []nodeForm `json:"replicas,omitempty"`
	Slots    []string   `json:"slots"`
}

type nodeForm struct {
	ID       string `json:"id"`
	Addr     string `json:"addr"`
	External bool   `json:"external,omitempty"`
}

// MarshalText is the file form, indented, ending in a newline. Parse reads it.
func (t *Topology) MarshalText() ([]byte, error) {
	form := fileForm{Cluster: t.Cluster, Epoch: t.Epoch, Shards: []shardForm{}}
	for _, shard := range t.Shards {
		s := shardForm{Primary: nodeForm(shard.Primary), Slots: []string{}}
		for _, node := range shard.Replicas {
			s.Replicas = append(s.Replicas, nodeForm(node))
		}
		for _, r := range shard.Slots {
			s.Slots = append(s.Slots, r.String())
		}
		form.Shards = append(form.Shards, s)
	}
	text, err := json.MarshalIndent(form, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write topology: %w", err)
	}
	return append(text, '\n'), nil
}

// Parse reads the file form.
func Parse(file []byte) (*Topology, error) {
	r := &reader{file: file, json: json.NewDecoder(bytes.NewReader(file))}
	r.json.UseNumber()
	var cluster string
	var epoch uint64
	var shards []Shard
	err := r.object("", fields{
		"cluster": func(path string) error { return r.text(path, &cluster) },
		"epoch":   func(path string) error { return r.number(path, &epoch) },
		"shards": func(path string) error {
			return r.array(path, func(path string) error {
				shards = append(shards, Shard{})
				return r.shard(path, &shards[len(shards)-1])
			})
		},
	})
	if err != nil {
		return nil, fmt.Errorf("parse topology: %w", err)
	}
	if _, err := r.json.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("parse topology: line %d: something stands behind the topology's object", r.line())
	}
	t, err := New(cluster, epoch, shards)
	if err != nil {
		return nil, fmt.Errorf("parse topology: %w", err)
	}
	return t, nil
}

type reader struct {
	file []byte
	json *json.Decoder
}

// fields says how each field of an object is read; the function gets the field's path.
type fields map[string]func(path string) error

func (r *reader) shard(path string, s *Shard) error {
	return r.object(path, fields{
		"primary": func(path string) error { return r.node(path, &s.Primary) },
		"replicas": func(path string) error {
			return r.array(path, func(path string) error {
				s.Replicas = append(s.Replicas, Node{})
				return r.node(path, &s.Replicas[len(s.Replicas)-1])
			})
		},
		"slots": func(path string) error {
			return r.array(path, func(path string) error {
				var text string
				if err := r.text(path, &text); err != nil {
					return err
				}
				slots, err := parseRange(text)
				if err != nil {
					return r.wrong(path, "%v", err)
				}
				s.Slots = append(s.Slots, slots)
				return nil
			})
		},
	})
}

func (r *reader) node(path string, n *Node) error {
	err := r.object(path, fields{
		"id":       func(path string) error { return r.text(path, &n.ID) },
		"addr":     func(path string) error { return r.text(path, &n.Addr) },
		"external": func(path string) error { return r.boolean(path, &n.External) },
	})
	if err != nil {
		return err
	}
	if err := checkAddr(n.Addr); err != nil {
		return r.wrong(path, "%v", err)
	}
	return nil
}

func (r *reader) object(path string, known fields) error {
	if err := r.open(path, '{', "an object"); err != nil {
		return err
	}
	seen := map[string]bool{}
	for r.json.More() {
		token, err := r.token(path)
		if err != nil {
			return err
		}
		name, _ := token.(string) // the decoder lets nothing else be a field's name
		read, ok := known[name]
		if !ok {
			return r.wrong(join(path, name), "unknown field")
		}
		if seen[name] {
			return r.wrong(join(path, name), "given twice")
		}
		seen[name] = true
		if err := read(join(path, name)); err != nil {
			return err
		}
	}
	_, err := r.token(path)
	return err
}

func (r *reader) array(path string, element func(path string) error) error {
	if err := r.open(path, '[', "a list"); err != nil {
		return err
	}
	for i := 0; r.json.More(); i++ {
		if err := element(path + "[" + strconv.Itoa(i) + "]"); err != nil {
			return err
		}
	}
	_, err := r.token(path)
	return err
}

func (r *reader) open(path string, bracket json.Delim, want string) error {
	token, err := r.token(path)
	if err == nil && token != bracket {
		return r.wrong(path, "got %s, want %s", show(token), want)
	}
	return err
}

func (r *reader) text(path string, into *string) error {
	token, err := r.token(path)
	if err != nil {
		return err
	}
	text, ok := token.(string)
	if !ok {
		return r.wrong(path, "got %s, want a text", show(token))
	}
	*into = text
	return nil
}

func (r *reader) number(path string, into *uint64) error {
	token, err := r.token(path)
	if err != nil {
		return err
	}
	number, _ := token.(json.Number)
	n, ok := parseDecimal(number.String())
	if !ok {
		return r.wrong(path, "got %s, want a whole number from 0 to 2^64-1", show(token))
	}
	*into = n
	return nil
}

func (r *reader) boolean(path string, into *bool) error {
	token, err := r.token(path)
	if err != nil {
		return err
	}
	value, ok := token.(bool)
	if !ok {
		return r.wrong(path, "got %s, want true or false", show(token))
	}
	*into = value
	return nil
}

func (r *reader) token(path string) (json.Token, error) {
	token, err := r.json.Token()
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, r.wrong(path, "the file ends too early")
	case err != nil:
		return nil, r.wrong(path, "%v", err)
	}
	return token, nil
}

// wrong is an error that says where: the line just read and the path of the field.
func (r *reader) wrong(path, format string, args ...any) error {
	if path == "" {
		path = "the file"
	}
	return fmt.Errorf("line %d: %s: %s", r.line(), path, fmt.Sprintf(format, args...))
}

func (r *reader) line() int {
	return 1 + bytes.Count(r.file[:r.json.InputOffset()], []byte{'\n'})
}

func join(path, field string) string {
	if path == "" {
		return field
	}
	return path + "." + field
}

func show(token json.Token) string {
	switch v := token.(type) {
	case nil:
		return "null"
	case json.Delim:
		if v == '{' {
			return "an object"
		}
		return "a list"
	case json.Number:
		return v.String()
	default:
		return fmt.Sprintf("%#v", v)
	}
}
