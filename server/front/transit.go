package front

import "sync/atomic"

const (
	// small is up to where a body or an answer is not counted: as many as there may be connections are no burden.
	small = 64 << 10
	// maxTransit is how many bytes of the others may be on their way, each way.
	maxTransit = 256 << 20
)

// transit counts the bytes of bodies or of answers that are on their way. How many there are, and how long each takes, is
// their clients' choice; how much memory they may have is not.
type transit struct {
	most int64
	held atomic.Int64
}

// take counts n more bytes, unless that is too much.
func (t *transit) take(n int) bool {
	if t.held.Add(int64(n)) > t.most {
		t.give(n)
		return false
	}
	return true
}

func (t *transit) give(n int) { t.held.Add(int64(-n)) }
