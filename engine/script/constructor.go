package script

// listBatch is how many elements of a constructor are put in at once, Lua's LFIELDS_PER_FLUSH: a field between them that has one's number comes before.
const listBatch = 50

// pair is a field of a constructor, which stands behind so many elements.
type pair struct {
	key, val code
	behind   int
}

// table compiles a constructor.
func (c *compiler) table(e *tableExpr) code {
	elements := e.list
	if n := len(elements); n > 0 && len(e.order) > 0 && e.order[len(e.order)-1] == n {
		elements = append(elements[:n-1:n-1], &parenExpr{elements[n-1]}) // a field stands behind the last: it gives one value
	}
	list := c.exprs(elements)
	named := true
	pairs := make([]pair, len(e.fields))
	for i, fl := range e.fields {
		k, ok := fl.key.(*constExpr)
		if ok {
			_, ok = k.v.o.(*str)
		}
		named = named && ok
		pairs[i] = pair{c.expr(fl.key), c.expr(fl.val), e.order[i]}
	}
	vm, line := c.vm, e.line
	listRoom, fieldRoom := roomFor(len(list.single)), roomFor(len(pairs))
	fill := fillNamed
	if !named {
		fill = fillOrdered
	}
	return func(f *frame) Value {
		t := vm.newTable(listRoom, fieldRoom)
		fill(f, t, list, pairs, line)
		if list.multi == nil {
			return table(t)
		}
		rets := list.multi(f)
		if n := len(list.single) + len(rets); n > len(t.list) {
			t.resizeList(vm, n)
		}
		copy(t.list[len(list.single):], rets)
		return table(t)
	}
}

// fillNamed fills a table whose fields all have names: they cannot meet the elements.
func fillNamed(f *frame, t *Table, list *exprList, pairs []pair, line int) {
	next := 0
	for i, e := range list.single {
		for ; next < len(pairs) && pairs[next].behind <= i; next++ {
			k := pairs[next].key(f)
			f.setNew(t, k, pairs[next].val(f), line)
		}
		t.list[i] = e(f)
	}
	for ; next < len(pairs); next++ {
		k := pairs[next].key(f)
		f.setNew(t, k, pairs[next].val(f), line)
	}
}

// fillOrdered fills a table with fields that may have elements' numbers.
func fillOrdered(f *frame, t *Table, list *exprList, pairs []pair, line int) {
	th := f.th
	m := th.mark()
	batch := th.reserve(min(listBatch, len(list.single)))
	next, waiting, done := 0, 0, 0
	flush := func() {
		if done+waiting > len(t.list) {
			t.resizeList(th.vm, done+waiting)
		}
		copy(t.list[done:], batch[:waiting])
		done, waiting = done+waiting, 0
	}
	for i := 0; i < len(list.single) || next < len(pairs); {
		if waiting == listBatch {
			flush()
		}
		if next < len(pairs) && pairs[next].behind <= i {
			k := pairs[next].key(f)
			f.setNew(t, k, pairs[next].val(f), line)
			next++
			continue
		}
		batch[waiting] = list.single[i](f)
		waiting++
		i++
	}
	flush()
	th.release(m)
}

// roomFor is the size that Lua 5.1 writes into its instruction for so many elements: exact to 15, then with four digits.
func roomFor(n int) int {
	shift := 0
	for n >= 16 {
		n = (n + 1) >> 1
		shift++
	}
	return n << shift
}
