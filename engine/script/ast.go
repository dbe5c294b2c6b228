package script

// The program as the parser makes it: names are resolved to locals, captured variables and globals.
type (
	expr any

	constExpr struct{ v Value }
	dotsExpr  struct{}
	localExpr struct{ l *local }
	upExpr    struct {
		index int
		name  string
	}
	globalExpr struct {
		name string
		line int
	}
	indexExpr struct {
		obj, key expr
		line     int
	}
	callExpr struct {
		fn     expr
		method string // of obj:method(), "" otherwise
		args   []expr
		line   int
	}
	functionExpr struct{ f *function }
	binaryExpr   struct {
		op   operator
		l, r expr
		line int
	}
	unaryExpr struct {
		op   operator
		e    expr
		line int
	}
	logicExpr struct {
		and  bool
		l, r expr
	}
	parenExpr struct{ e expr }
	tableExpr struct {
		list   []expr // the last may have many values
		fields []field
		order  []int // field i stands behind order[i] elements of list
		line   int
	}
	field struct{ key, val expr }
)

// local is a local variable: a place among its function's, which holds a cell if a function inside captures it.
type local struct {
	name     string
	slot     int
	captured bool
}

type (
	statement any

	localStat struct {
		vars []*local
		vals []expr
		line int
	}
	assignStat struct {
		targets []expr
		vals    []expr
		line    int
	}
	callStat  struct{ call *callExpr }
	doStat    struct{ body []statement }
	whileStat struct {
		cond expr
		body []statement
		line int
	}
	repeatStat struct {
		body []statement
		cond expr
		line int
	}
	ifStat struct {
		conds  []expr
		bodies [][]statement
		other  []statement
	}
	countStat struct { // for v = from, to, step
		v              *local
		from, to, step expr
		body           []statement
		line           int
	}
	eachStat struct { // for vars in vals
		vars  []*local
		state int // three places: the iterator, its state, its control variable
		vals  []expr
		body  []statement
		line  int
	}
	functionStat struct { // local function
		v *local
		f *function
	}
	returnStat struct {
		vals []expr
		line int
	}
	breakStat struct{}
)

// function is a function before it is compiled.
type function struct {
	parent   *function
	name     string
	line     int
	params   []*local
	arg      *local // the table of further arguments that Lua 5.0 had, of a function with ... that does not use ...
	vararg   bool
	dots     bool // it uses ...
	body     []statement
	ups      []capture
	slots    int
	live     []*local // locals in sight, while it is parsed
	loops    int
	upsIndex map[string]int
}

// capture tells where a captured variable comes from: a local of the function around, or what that one captured.
type capture struct {
	l     *local
	index int
}

type operator int

const (
	opOr operator = iota
	opAnd
	opLT
	opGT
	opLE
	opGE
	opNE
	opEQ
	opConcat
	opAdd
	opSub
	opMul
	opDiv
	opMod
	opPow
	opNot
	opNeg
	opLen
)

// priorities to the left and to the right of each binary operator, and of unary ones (Lua 5.1's).
var priorities = [...]struct{ left, right int }{
	opOr: {1, 1}, opAnd: {2, 2}, opLT: {3, 3}, opGT: {3, 3}, opLE: {3, 3}, opGE: {3, 3}, opNE: {3, 3}, opEQ: {3, 3}, opConcat: {5, 4},
	opAdd: {6, 6}, opSub: {6, 6}, opMul: {7, 7}, opDiv: {7, 7}, opMod: {7, 7}, opPow: {10, 9},
}

const unaryPriority = 8

var binaryOps = map[token]operator{
	tokOr: opOr, tokAnd: opAnd, '<': opLT, '>': opGT, tokLE: opLE, tokGE: opGE, tokNE: opNE, tokEQ: opEQ, tokConcat: opConcat, '+': opAdd, '-': opSub,
	'*': opMul, '/': opDiv, '%': opMod, '^': opPow,
}
