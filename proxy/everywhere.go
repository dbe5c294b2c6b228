package proxy

// everywhere runs visit on each loop of the gateway, one after the other, and then done
// on this one: what one client may ask about all others. Each call is on the loop of its
// part, so visit may share what it collects without a lock.
func (p *part) everywhere(visit func(*part), done func()) {
	p.g.mu.Lock()
	parts := append([]*part(nil), p.g.parts...)
	p.g.mu.Unlock()
	if len(parts) == 1 {
		visit(p)
		done()
		return
	}
	var next func(int)
	next = func(i int) {
		if i == len(parts) {
			p.l.Post(func() {
				p.enter()
				done()
			})
			return
		}
		parts[i].l.Post(func() {
			parts[i].enter()
			visit(parts[i])
			next(i + 1)
		})
	}
	next(0)
}
