package script

// grow counts bytes that are about to be made. A library that would make more than a script may have fails before it does.
func (vm *VM) grow(n int64) {
	vm.allocated += n
	if vm.allocated > vm.allocMax {
		vm.allocated -= n // it is not made
		vm.noMemory()
	}
}

func (vm *VM) noMemory() {
	source, line := vm.running.place(1)
	panic(&luaError{value: constant("not enough memory"), source: source, line: line, fatal: true, noMemory: true})
}

func (vm *VM) resetMemory(living int64) {
	vm.allocated = living
	vm.censusAt = living + max(vm.opts.MemoryMax/4, vm.opts.MemoryMax-living)
	vm.allocMax = vm.censusAt + vm.opts.MemoryMax
}

// census finds what still lives: all that can be reached. Garbage is given back by the Go collector; this only counts, so that a script that makes much
// garbage is not taken for one that keeps much.
type census struct {
	vm    *VM
	seen  map[any]struct{}
	bytes int64
	queue []Value
}

func (vm *VM) census(th *thread) {
	c := &census{vm: vm, seen: map[any]struct{}{}}
	c.add(table(vm.globals))
	if vm.whileLoading != nil {
		c.add(table(vm.whileLoading))
	}
	for _, t := range vm.roots {
		c.add(table(t))
	}
	for _, f := range vm.functions {
		c.add(f.value)
	}
	c.add(Value{o: vm.main})
	for t := th; t != nil; t = t.resumer {
		c.add(Value{o: t})
	}
	for _, co := range vm.coroutines { // whether the script still knows them or not: their stacks are there
		if co.state != coDead {
			c.add(Value{o: co})
		}
	}
	for len(c.queue) > 0 {
		v := c.queue[len(c.queue)-1]
		c.queue = c.queue[:len(c.queue)-1]
		c.visit(v)
	}
	vm.resetMemory(c.bytes)
	if c.bytes > vm.opts.MemoryMax {
		vm.noMemory()
	}
}

func (c *census) add(v Value) {
	switch v.o.(type) {
	case nil, numTag, boolTag, *native, *userdata:
		return
	}
	if _, ok := c.seen[v.o]; ok {
		return
	}
	c.seen[v.o] = struct{}{}
	if s, ok := v.o.(*str); ok {
		c.bytes += int64(len(s.s)) + stringSize
		return
	}
	c.queue = append(c.queue, v)
}

func (c *census) visit(v Value) {
	switch o := v.o.(type) {
	case *Table:
		c.bytes += tableSize + int64(len(o.list))*valueSize + int64(len(o.nodes))*nodeSize
		if o.meta != nil {
			c.add(table(o.meta))
		}
		for _, e := range o.list {
			c.add(e)
		}
		for i := range o.nodes {
			if !o.nodes[i].val.isNil() {
				c.add(o.nodes[i].key)
				c.add(o.nodes[i].val)
			}
		}
	case *closure:
		c.bytes += closureSize
		for _, up := range o.ups {
			c.bytes += cellSize
			c.add(up.v)
		}
	case *cell:
		c.bytes += cellSize
		c.add(o.v)
	case *thread:
		c.thread(o)
	}
}

// thread adds what a stack holds.
func (c *census) thread(th *thread) {
	c.bytes += threadSize + int64(th.counted)*levelSize
	for i, chunk := range th.chunks {
		if i > 0 { // the first is in threadSize
			c.bytes += int64(len(chunk)) * valueSize
		}
	}
	for i, chunk := range th.chunks {
		if i > th.chunk {
			break
		}
		if i == th.chunk {
			chunk = chunk[:th.top]
		}
		for _, v := range chunk {
			c.add(v)
		}
	}
	for i := 0; i <= th.depth && i < len(th.frames); i++ {
		c.bytes += int64(len(th.frames[i].varargs)) * valueSize
		for _, v := range th.frames[i].varargs {
			c.add(v)
		}
		for _, v := range th.frames[i].ret {
			c.add(v)
		}
	}
	c.add(th.body)
}
