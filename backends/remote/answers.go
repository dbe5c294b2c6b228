package remote

import (
	"bytes"

	"larder/protocol/resp"
)

// Elements are those of a reply that is a list of texts. They are the caller's to keep.
func Elements(reply resp.Value) (list [][]byte) {
	for it := reply.Elements(); it.Left() > 0; {
		element, _ := it.Next()
		text, _ := resp.Value(element).Bytes()
		list = append(list, bytes.Clone(text))
	}
	return list
}

// Texts are Elements as strings.
func Texts(reply resp.Value) (list []string) {
	for _, text := range Elements(reply) {
		list = append(list, string(text))
	}
	return list
}

// Page takes apart what SCAN and its relatives answer: where to go on, "0" at the end, and the elements.
func Page(reply resp.Value) (cursor string, elements [][]byte) {
	it := reply.Elements()
	first, _ := it.Next()
	text, _ := resp.Value(first).Bytes()
	list, _ := it.Next()
	return string(text), Elements(list)
}
