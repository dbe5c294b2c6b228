package store

// link is a place in a list of things that stand in a slice: the numbers of its neighbours + 1, 0 = none. A head is such a number, too.
type link struct{ next, prev int32 }

func (l *link) linked() *link { return l }

// linked is what has a link in it.
type linked[T any] interface {
	*T
	linked() *link
}

// enlist puts a number of a slice at the front of a list.
func enlist[T any, P linked[T]](all []T, head *int32, number int32) {
	*P(&all[number]).linked() = link{next: *head}
	if *head != 0 {
		P(&all[*head-1]).linked().prev = number + 1
	}
	*head = number + 1
}

// unlist takes it out.
func unlist[T any, P linked[T]](all []T, head *int32, number int32) {
	l := P(&all[number]).linked()
	if l.prev != 0 {
		P(&all[l.prev-1]).linked().next = l.next
	} else {
		*head = l.next
	}
	if l.next != 0 {
		P(&all[l.next-1]).linked().prev = l.prev
	}
	*l = link{}
}
