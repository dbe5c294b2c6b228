package manage

import (
	"encoding/json"
	"reflect"
	"strings"
)

// kept adds to a value what stood there under names that this release does not know: a later one has put it there, whose controllers may lead again tomorrow, and
// what a user wants is not to be lost to a change of something else. Names are the fields of the struct that value points to.
func kept(text []byte, value any, stood []byte) ([]byte, error) {
	t := reflect.TypeOf(value)
	if t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct || len(stood) == 0 {
		return text, nil
	}
	var old, next map[string]json.RawMessage
	_ = json.Unmarshal(stood, &old) // what cannot be read is replaced
	for _, f := range reflect.VisibleFields(t.Elem()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		delete(old, name)
	}
	if len(old) == 0 {
		return text, nil
	}
	if err := json.Unmarshal(text, &next); err != nil {
		return nil, err
	}
	for name, what := range old {
		next[name] = what
	}
	return json.Marshal(next)
}
