package inspect

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// Print writes what a file is made of in plain lines.
func (s *Stats) Print(w io.Writer) error {
	if err := s.Summary.Print(w); err != nil {
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	p := &printer{w: t}
	p.line("\nTypes\ndb\ttype\tkeys\telements\tbytes\t")
	for _, x := range s.Types {
		p.line("%d\t%s\t%d\t%d\t%d\t", x.DB, x.Type, x.Keys, x.Elements, x.Bytes)
	}
	x := &s.Expiries
	p.line("\nExpiries\nnever\tpast\twithin an hour\ta day\ta week\tlater\t")
	p.line("%d\t%d\t%d\t%d\t%d\t%d\t", x.Never, x.Past, x.Hour, x.Day, x.Week, x.Later)
	if len(s.Prefixes) > 0 {
		p.line("\nPrefixes with most bytes\nkeys\tbytes\t  prefix")
	}
	for _, x := range s.Prefixes {
		name := x.Prefix
		if name != NoPrefix && name != Others {
			name = quote([]byte(name))
		}
		p.line("%d\t%d\t  %s", x.Keys, x.Bytes, name)
	}
	p.keys("Biggest keys", s.Biggest)
	p.keys("Keys with most elements", s.Longest)
	if p.err != nil {
		return p.err
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

func (p *printer) keys(title string, keys []Key) {
	if len(keys) == 0 {
		return
	}
	p.line("\n%s\ndb\ttype\telements\tbytes\texpires\t  key", title)
	for i := range keys {
		k := &keys[i]
		p.line("%d\t%s\t%d\t%d\t%s\t  %s", k.DB, k.Type, k.Elements, k.Bytes, k.expires(), k.Name())
	}
}
