package proxy

import "slices"

// everywhere runs visit on each loop of the gateway, one after the other, and then done
// on this one: what one client may ask about all others. Each call is on the loop of its
// part, so visit may share what it collects without a lock.
func (p *part) everywhere(visit func(*part), done func()) {
	p.visit(p.g.allParts(), visit, done)
}

// elsewhere is everywhere without this loop.
func (p *part) elsewhere(visit func(*part), done func()) {
	p.visit(slices.DeleteFunc(p.g.allParts(), func(other *part) bool { return other == p }), visit, done)
}

func (g *Gateway) allParts() []*part {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.parts)
}

func (p *part) visit(parts []*part, visit func(*part), done func()) {
	if len(parts) == 0 || len(parts) == 1 && parts[0] == p {
		for _, one := range parts {
			visit(one)
		}
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
