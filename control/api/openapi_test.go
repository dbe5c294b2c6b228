package api

import (
	"bytes"
	"encoding"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"larder/control/controller"
)

var update = flag.Bool("update", false, "write the OpenAPI document anew")

// TestOpenAPI makes the OpenAPI document of the routes that are served and of the Go types of what is asked and answered, and wants openapi.json to be just that.
func TestOpenAPI(t *testing.T) {
	d := &documenter{schemas: map[string]any{}, named: map[string]reflect.Type{}, packages: map[string]*comments{}, t: t}
	paths := map[string]map[string]any{}
	for _, r := range (&server{}).routes() {
		if paths[r.path] == nil {
			paths[r.path] = map[string]any{}
		}
		paths[r.path][strings.ToLower(r.method)] = d.operation(r)
	}
	text, err := json.MarshalIndent(map[string]any{
		"openapi": "3.1.0",
		"info": map[string]any{
			"title": "Larder's management API", "version": "1",
			"description": "What `larder cluster`, `larder snapshot` and the other operator's commands ask. docs/api.md tells more, and which codes errors have.",
		},
		"security":   []any{map[string]any{"key": []any{}}},
		"paths":      paths,
		"components": map[string]any{"schemas": d.schemas, "securitySchemes": map[string]any{"key": map[string]any{"type": "http", "scheme": "bearer"}}},
	}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, '\n')
	if *update {
		if err := os.WriteFile("openapi.json", text, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(text, Document()) {
		t.Error("openapi.json is not what is served: go test ./control/api -run TestOpenAPI -update writes it anew")
	}
	if shown, err := os.ReadFile("../../docs/openapi.json"); err != nil || !bytes.Equal(shown, Document()) {
		t.Error("docs/openapi.json is not the document:", err)
	}
}

// documenter makes schemas of types.
type documenter struct {
	t        *testing.T
	schemas  map[string]any
	named    map[string]reflect.Type
	packages map[string]*comments
}

var inPath = regexp.MustCompile(`\{(\w+)\}`)

func (d *documenter) operation(r route) map[string]any {
	var parameters []any
	for _, name := range inPath.FindAllStringSubmatch(r.path, -1) {
		parameters = append(parameters, map[string]any{"name": name[1], "in": "path", "required": true, "schema": map[string]any{"type": "string"}})
	}
	for _, p := range r.query {
		parameters = append(parameters, map[string]any{"name": p.name, "in": "query", "description": p.means, "schema": map[string]any{"type": "string"}})
	}
	content := map[string]any{"application/octet-stream": map[string]any{}}
	if r.answer != nil {
		content = map[string]any{"application/json": map[string]any{"schema": d.schema(reflect.TypeOf(r.answer))}}
	}
	op := map[string]any{"summary": r.does, "responses": map[string]any{
		strconv.Itoa(r.status): map[string]any{"description": "it is so", "content": content},
		"default": map[string]any{
			"description": "an error", "content": map[string]any{"application/json": map[string]any{"schema": d.schema(reflect.TypeFor[Problem]())}},
		},
	}}
	if r.status == accepted {
		op["responses"].(map[string]any)[strconv.Itoa(r.status)].(map[string]any)["description"] = "it is begun"
	}
	if parameters != nil {
		op["parameters"] = parameters
	}
	if r.body != nil {
		ref := d.schema(reflect.TypeOf(r.body))
		name := strings.TrimPrefix(ref["$ref"].(string), "#/components/schemas/")
		d.schemas[name].(map[string]any)["additionalProperties"] = false // a word that is not known is refused
		op["requestBody"] = map[string]any{"required": true, "content": map[string]any{"application/json": map[string]any{"schema": ref}}}
	}
	return op
}

// schema is that of a type.
func (d *documenter) schema(t reflect.Type) map[string]any {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return map[string]any{"type": "string", "format": "date-time"}
	case t.Kind() == reflect.Pointer:
		return d.schema(t.Elem())
	case t.Implements(reflect.TypeFor[json.Marshaler]()), t.Implements(reflect.TypeFor[encoding.TextMarshaler]()):
		return map[string]any{"type": "string"}
	}
	switch t.Kind() {
	case reflect.Struct:
		return d.object(t)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return map[string]any{"type": "string", "format": "byte"}
		}
		return map[string]any{"type": "array", "items": d.schema(t.Elem())}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": d.schema(t.Elem())}
	case reflect.Interface:
		return map[string]any{}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.Int, reflect.Int64, reflect.Uint64, reflect.Uint32, reflect.Int32:
		return map[string]any{"type": "integer"}
	case reflect.String:
		s := map[string]any{"type": "string"}
		if values := d.of(t).values[t.Name()]; len(values) > 0 {
			s["enum"] = values
		}
		return s
	}
	d.t.Fatalf("%s: the document has no word for it", t)
	return nil
}

// object puts a struct among the schemas, and gives the reference to it.
func (d *documenter) object(t reflect.Type) map[string]any {
	if t.Name() == "" {
		s := map[string]any{"type": "object"}
		d.fields(t, s, true)
		return s
	}
	name := map[reflect.Type]string{reflect.TypeFor[controller.Task](): "FleetTask", reflect.TypeFor[controller.Group](): "GroupValues", reflect.TypeFor[nothing](): "Nothing"}[t]
	if name == "" {
		name = t.Name()
	}
	if was := d.named[name]; was != nil && was != t {
		d.t.Fatalf("%s and %s have one name in the document", was, t)
	}
	if d.named[name] == nil {
		d.named[name] = t
		s := map[string]any{"type": "object"}
		if doc := d.of(t).types[t.Name()]; doc != "" {
			s["description"] = doc
		}
		d.schemas[name] = s
		d.fields(t, s, true)
	}
	return map[string]any{"$ref": "#/components/schemas/" + name}
}

// fields adds those of a struct, as encoding/json sees them, to a schema.
func (d *documenter) fields(t reflect.Type, s map[string]any, always bool) {
	properties, _ := s["properties"].(map[string]any)
	if properties == nil {
		properties = map[string]any{}
		s["properties"] = properties
	}
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		inner := f.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		switch {
		case name == "-" || !f.IsExported() && !f.Anonymous:
			continue
		case f.Anonymous && name == "" && inner.Kind() == reflect.Struct:
			d.fields(inner, s, always && f.Type.Kind() != reflect.Pointer)
			continue
		case name == "":
			name = f.Name
		}
		p := d.schema(f.Type)
		if doc := d.of(t).fields[t.Name()+"."+f.Name]; doc != "" {
			p["description"] = doc
		}
		properties[name] = p
		if always && !strings.Contains(options, "omitempty") && !strings.Contains(options, "omitzero") {
			required, _ := s["required"].([]string)
			s["required"] = append(required, name)
		}
	}
}

// comments are what is said in a package of its types, of their fields, and which values named strings have.
type comments struct {
	types, fields map[string]string
	values        map[string][]string
}

// of reads the package of a type.
func (d *documenter) of(t reflect.Type) *comments {
	path := strings.TrimPrefix(t.PkgPath(), "larder/")
	if c := d.packages[path]; c != nil {
		return c
	}
	c := &comments{map[string]string{}, map[string]string{}, map[string][]string{}}
	d.packages[path] = c
	if path == t.PkgPath() { // not ours
		return c
	}
	files, err := os.ReadDir("../../" + path)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), "../../"+path+"/"+f.Name(), nil, parser.ParseComments)
		if err != nil {
			d.t.Fatal(err)
		}
		for _, decl := range parsed.Decls {
			if g, ok := decl.(*ast.GenDecl); ok {
				c.read(g)
			}
		}
	}
	return c
}

func (c *comments) read(g *ast.GenDecl) {
	for _, spec := range g.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			doc := s.Doc
			if doc == nil {
				doc = g.Doc
			}
			c.types[s.Name.Name] = textOf(doc)
			if st, ok := s.Type.(*ast.StructType); ok {
				for _, f := range st.Fields.List {
					for _, name := range f.Names {
						c.fields[s.Name.Name+"."+name.Name] = textOf(f.Doc) + textOf(f.Comment)
					}
				}
			}
		case *ast.ValueSpec:
			if kind, ok := s.Type.(*ast.Ident); ok && g.Tok == token.CONST && len(s.Values) == 1 {
				if v, ok := s.Values[0].(*ast.BasicLit); ok && v.Kind == token.STRING {
					text, _ := strconv.Unquote(v.Value)
					c.values[kind.Name] = append(c.values[kind.Name], text)
				}
			}
		}
	}
}

func textOf(c *ast.CommentGroup) string {
	return strings.Join(strings.Fields(c.Text()), " ")
}

// TestDocumentIsWhole: each path names in its pattern what it says it has, each code of a refusal has its status, and no two routes are one.
func TestDocumentIsWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range (&server{}).routes() {
		if key := r.method + " " + r.path; seen[key] || r.does == "" || r.status == 0 || r.handle == nil {
			t.Errorf("%s: twice, or without a word on what it does", key)
		}
		seen[r.method+" "+r.path] = true
	}
	page, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range slices.Sorted(maps.Keys(statuses)) {
		if !strings.Contains(string(page), "`"+code+"`") {
			t.Errorf("docs/api.md does not tell of code %s", code)
		}
	}
}
