package configs

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// given is a value as somebody wrote it.
type given struct {
	text   string
	source string // "larder.yaml:12", "LARDER_LOG_LEVEL", "--listen"
}

// readFile reads a YAML file into texts by key. viper could read it too, but forgets where things stood and in what
// words. Every problem is reported, each with its line.
func readFile(name string, content []byte, known map[string]setting) (map[string]given, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(content, &document); err != nil {
		return nil, fmt.Errorf("%s: %s", name, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	r := &fileReader{name: name, known: known, found: map[string]given{}}
	if len(document.Content) == 1 {
		r.mapping("", document.Content[0])
	}
	return r.found, errors.Join(r.problems...)
}

type fileReader struct {
	name     string
	known    map[string]setting
	found    map[string]given
	problems []error
}

func (r *fileReader) wrong(at *yaml.Node, format string, args ...any) {
	r.problems = append(r.problems, fmt.Errorf("%s:%d: %s", r.name, at.Line, fmt.Sprintf(format, args...)))
}

// mapping reads the keys below path. A null is an empty mapping: a section whose lines are all commented out.
func (r *fileReader) mapping(path string, node *yaml.Node) {
	node = target(node)
	if node.Tag == "!!null" {
		return
	}
	if node.Kind != yaml.MappingNode {
		what := path
		if what == "" {
			what = "the file"
		}
		r.wrong(node, "%s: must be keys with values, such as %q", what, r.example(path))
		return
	}
	seen := map[string]int{} // key → line
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i], node.Content[i+1]
		key := name.Value
		if path != "" {
			key = path + "." + name.Value
		}
		if line, twice := seen[key]; twice {
			r.wrong(name, "%s: given twice, first on line %d", key, line)
			continue
		}
		seen[key] = name.Line
		r.entry(key, name, value)
	}
}

func (r *fileReader) entry(key string, name, value *yaml.Node) {
	if s, ok := r.known[key]; ok {
		r.value(s, target(value))
		return
	}
	if r.example(key) != "" {
		r.mapping(key, value)
		return
	}
	r.wrong(name, "%s: unknown key%s", key, didYouMean(key, keys(r.known)))
}

func (r *fileReader) value(s setting, node *yaml.Node) {
	if before, twice := r.found[s.key]; twice { // "a.b: x" beside "a:" with "b: x" in it
		r.wrong(node, "%s: given twice, first at %s", s.key, before.source)
		return
	}
	text := node.Value
	_, isList := s.kind.(list)
	switch {
	case node.Tag == "!!null":
		r.wrong(node, "%s: has no value: must be %s; without the line it is the default", s.key, s.kind.want())
		return
	case node.Kind == yaml.SequenceNode && isList:
		elements := make([]string, len(node.Content))
		for i, element := range node.Content {
			elements[i] = target(element).Value
		}
		text = strings.Join(elements, ",")
	case node.Kind != yaml.ScalarNode:
		r.wrong(node, "%s: must be %s", s.key, s.kind.want())
		return
	}
	r.found[s.key] = given{text: text, source: fmt.Sprintf("%s:%d", r.name, node.Line)}
}

// target follows an alias.
func target(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

// example is a key below path, "" if there is none.
func (r *fileReader) example(path string) string {
	first := ""
	for key := range r.known {
		if (path == "" || strings.HasPrefix(key, path+".")) && (first == "" || key < first) {
			first = key
		}
	}
	return first
}
