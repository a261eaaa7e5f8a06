package hop

// interned keeps what comes again with every frame, so that reading it costs a look-up and no memory. It belongs to
// one reading goroutine. What it holds is bounded: when it is full it begins anew.
type interned struct {
	texts    map[string]string
	alloweds map[string]*Allowed
}

const (
	maxTexts    = 1024
	maxAlloweds = 256
	maxInterned = 256 // bytes; a longer text is not kept
)

func newInterned() *interned {
	return &interned{texts: map[string]string{}, alloweds: map[string]*Allowed{}}
}

func (n *interned) text(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if s, ok := n.texts[string(b)]; ok {
		return s
	}
	s := string(b)
	if len(s) > maxInterned {
		return s
	}
	if len(n.texts) >= maxTexts {
		clear(n.texts)
	}
	n.texts[s] = s
	return s
}

// allow returns the set that b, written by NewAllowed, stands for; the same text gives the same set.
func (n *interned) allow(b []byte) (*Allowed, error) {
	if len(b) == 0 {
		return nil, nil
	}
	if a, ok := n.alloweds[string(b)]; ok {
		return a, nil
	}
	a, err := decodeAllowed(b)
	if err != nil {
		return nil, err
	}
	if len(n.alloweds) >= maxAlloweds {
		clear(n.alloweds)
	}
	n.alloweds[a.encoded] = a
	return a, nil
}
