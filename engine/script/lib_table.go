package script

import "strings"

func (vm *VM) openTable() *Table {
	names := []string{"concat", "foreach", "foreachi", "getn", "maxn", "insert", "remove", "setn", "sort"}
	return vm.open(vm.newTable(0, len(names)), names, library{
		"concat": tableConcat, "foreach": tableForEach, "foreachi": tableForEachI, "getn": tableGetN, "maxn": tableMaxN, "insert": tableInsert,
		"remove": tableRemove, "setn": tableSetN, "sort": tableSort,
	})
}

func tableConcat(th *thread, args []Value) []Value {
	sep := th.optText(args, 1, "")
	t := th.needTable(args)
	from, to := th.span(args, 2, t)
	size := 0
	for i := from; i <= to; i++ {
		v := t.getInt(i)
		n, ok := asTextSize(v)
		if !ok {
			th.failf("invalid value (%s) at index %d in table for 'concat'", typeName(v), i)
		}
		if i < to {
			n += len(sep)
		}
		if size += n; size > int(th.vm.allocMax) {
			th.vm.noMemory()
		}
		th.steps(1)
	}
	th.vm.grow(int64(size) + stringSize)
	var out strings.Builder
	out.Grow(size) // once: a large text is not copied again and again
	var room [32]byte
	for i := from; i <= to; i++ {
		v := t.getInt(i)
		if o, ok := v.o.(*str); ok {
			out.WriteString(o.s)
		} else {
			out.Write(appendNumber(room[:0], v.n))
		}
		if i < to {
			out.WriteString(sep)
		}
	}
	text := out.String()
	if len(text) < size/2 { // numbers were shorter than they might have been
		text = strings.Clone(text)
	}
	return th.ret1(Value{o: &str{s: text}})
}

// steps counts work of a library function.
func (th *thread) steps(n int) {
	if th.vm.steps += n; th.vm.steps >= stepsPerPause {
		th.vm.pauseOnly(th)
	}
}

func tableForEach(th *thread, args []Value) []Value {
	t, fn := th.needTable(args), th.needFunction(args, 1)
	for pos := 0; ; {
		k, v, next := t.at(pos)
		if next == 0 {
			return nil
		}
		if r := th.call1(fn, k, v); !r.isNil() {
			return th.ret1(r)
		}
		if pos = t.position(k); pos < 0 {
			th.failBare("invalid key to 'next'")
		}
	}
}

func tableForEachI(th *thread, args []Value) []Value {
	t, fn := th.needTable(args), th.needFunction(args, 1)
	n := t.length()
	for i := 1; i <= n; i++ {
		if r := th.call1(fn, num(float64(i)), t.getInt(i)); !r.isNil() {
			return th.ret1(r)
		}
	}
	return nil
}

func tableGetN(th *thread, args []Value) []Value {
	return th.ret1(num(float64(th.needTable(args).length())))
}

func tableMaxN(th *thread, args []Value) []Value {
	most := 0.0
	t := th.needTable(args)
	for pos := 0; ; {
		k, _, next := t.at(pos)
		if next == 0 {
			return th.ret1(num(most))
		}
		if n, ok := k.number(); ok && n > most {
			most = n
		}
		pos = next
	}
}

func tableSetN(th *thread, args []Value) []Value {
	th.needTable(args)
	th.fail("'setn' is obsolete")
	return nil
}

func tableInsert(th *thread, args []Value) []Value {
	t := th.needTable(args)
	end := t.length() + 1
	pos := end
	switch len(args) {
	case 2:
	case 3:
		pos = int(int32(th.needInt(args, 1)))
		end = max(end, pos)
		th.changeable(t)
		for i := end; i > pos; i-- {
			t.setInt(th.vm, i, t.getInt(i-1))
			th.steps(1)
		}
	default:
		th.fail("wrong number of arguments to 'insert'")
	}
	th.changeable(t)
	t.setInt(th.vm, pos, args[len(args)-1])
	return nil
}

func tableRemove(th *thread, args []Value) []Value {
	t := th.needTable(args)
	end := t.length()
	pos := int(int32(th.optInt(args, 1, end)))
	if pos < 1 || pos > end {
		return nil
	}
	v := t.getInt(pos)
	th.changeable(t)
	for ; pos < end; pos++ {
		t.setInt(th.vm, pos, t.getInt(pos+1))
		th.steps(1)
	}
	t.setInt(th.vm, end, Value{})
	return th.ret1(v)
}

// sorter sorts a table in place with an order that may be a Lua function, and may be no order: then it ends all the same.
type sorter struct {
	th *thread
	t  *Table
	fn Value
}

func tableSort(th *thread, args []Value) []Value {
	t := th.needTable(args)
	s := &sorter{th: th, t: t}
	if !arg(args, 1).isNil() {
		s.fn = th.needFunction(args, 1)
	}
	th.changeable(t)
	s.sort(1, t.length())
	return nil
}

func (s *sorter) less(a, b Value) bool {
	s.th.steps(1)
	if s.fn.isNil() {
		return s.th.less(a, b, nil, 0)
	}
	return truth(s.th.call1(s.fn, a, b))
}

func (s *sorter) put(i int, a Value, j int, b Value) {
	s.t.setInt(s.th.vm, i, a)
	s.t.setInt(s.th.vm, j, b)
}

// order puts two elements in order.
func (s *sorter) order(i, j int) {
	if a, b := s.t.getInt(i), s.t.getInt(j); s.less(b, a) {
		s.put(i, b, j, a)
	}
}

// sort is a quicksort with the median of three, which does the smaller part first, so that it nests a logarithm deep.
func (s *sorter) sort(low, high int) {
	for low < high {
		s.order(low, high)
		if high-low == 1 {
			return
		}
		middle := (low + high) / 2
		if a, b := s.t.getInt(middle), s.t.getInt(low); s.less(a, b) {
			s.put(middle, b, low, a)
		} else {
			s.order(middle, high)
		}
		if high-low == 2 {
			return
		}
		pivot := s.t.getInt(middle)
		s.put(middle, s.t.getInt(high-1), high-1, pivot)
		i := s.partition(low, high, pivot)
		if i-low < high-i {
			s.sort(low, i-1)
			low = i + 1
		} else {
			s.sort(i+1, high)
			high = i - 1
		}
	}
}

func (s *sorter) partition(low, high int, pivot Value) int {
	i, j := low, high-1
	for {
		for i++; s.less(s.t.getInt(i), pivot); i++ {
			if i > high {
				s.th.fail("invalid order function for sorting")
			}
		}
		for j--; s.less(pivot, s.t.getInt(j)); j-- {
			if j < low {
				s.th.fail("invalid order function for sorting")
			}
		}
		if j < i {
			break
		}
		a, b := s.t.getInt(i), s.t.getInt(j)
		s.put(i, b, j, a)
	}
	a, b := s.t.getInt(high-1), s.t.getInt(i)
	s.put(high-1, b, i, a)
	return i
}
