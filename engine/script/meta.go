package script

// The names of metamethods, with their hashes: shared by all VMs, so never written to.
var (
	nameIndex     = hashed("__index")
	nameNewIndex  = hashed("__newindex")
	nameCall      = hashed("__call")
	nameEq        = hashed("__eq")
	nameLT        = hashed("__lt")
	nameLE        = hashed("__le")
	nameConcat    = hashed("__concat")
	nameUnm       = hashed("__unm")
	nameToString  = hashed("__tostring")
	nameMetatable = hashed("__metatable")

	arithNames = map[operator]*str{
		opAdd: hashed("__add"), opSub: hashed("__sub"), opMul: hashed("__mul"), opDiv: hashed("__div"), opMod: hashed("__mod"), opPow: hashed("__pow"),
	}
)

// metaLoopMax is how many tables __index may lead through.
const metaLoopMax = 100

func hashed(s string) *str {
	x := &str{s: s}
	x.hash()
	return x
}

// metatable of any value.
func (vm *VM) metatable(v Value) *Table {
	switch o := v.o.(type) {
	case *Table:
		return o.meta
	case *str:
		return vm.strMeta
	}
	return nil
}

func (vm *VM) metamethod(v Value, name *str) Value { return vm.metatable(v).metaField(name) }

// index is obj[key]; what is the expression that obj came from.
func (f *frame) index(obj, key Value, line int, what expr) Value {
	vm := f.th.vm
	for range metaLoopMax {
		var h Value
		if t, ok := obj.o.(*Table); ok {
			v := t.get(key)
			if !v.isNil() || t.meta == nil {
				return v
			}
			if h = t.meta.getStr(nameIndex); h.isNil() {
				return v
			}
		} else if h = vm.metamethod(obj, nameIndex); h.isNil() {
			f.fail(line, "attempt to index "+described(what, obj))
		}
		if isFunction(h) {
			f.line = line
			return f.th.meta(h, obj, key)
		}
		obj, what = h, nil
	}
	f.fail(line, "loop in gettable")
	return Value{}
}

// described names a value in a message: "local 'x' (a nil value)".
func described(e expr, v Value) string {
	kind, name := origin(e)
	if kind == "" {
		return "a " + typeName(v) + " value"
	}
	return kind + " '" + name + "' (a " + typeName(v) + " value)"
}

// origin is the variable that an expression is.
func origin(e expr) (kind, name string) {
	switch e := e.(type) {
	case *localExpr:
		return "local", e.l.name
	case *upExpr:
		return "upvalue", e.name
	case *globalExpr:
		return "global", e.name
	case *indexExpr:
		if k, ok := e.key.(*constExpr); ok {
			if s, ok := k.v.o.(*str); ok {
				return "field", s.s
			}
		}
		return "field", "?"
	case *parenExpr:
		return origin(e.e)
	case *logicExpr:
		if k, ok := e.l.(*constExpr); ok && truth(k.v) == e.and {
			return origin(e.r) // the left is never the value
		}
	}
	return "", ""
}

// toString is tostring.
func (th *thread) toString(v Value) Value {
	vm := th.vm
	switch v.o.(type) {
	case *str:
		return v
	case *Table:
		if h := vm.metamethod(v, nameToString); !h.isNil() {
			return th.call1(h, v)
		}
	}
	return vm.text(vm.show(v))
}
