package control

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// The longest lines, in bytes with their newline.
const (
	MaxFromParent = 32 << 20 // a manifest fits
	MaxFromChild  = 1 << 20
)

// How much of a child a parent reads: at once, and then in a second, in bytes. Reading costs the parent as much as writing costs the child
// and is in no limit of the child's, so one that says more waits in its write. leastLine is what the shortest line counts as.
const (
	childBurst = 4 << 20
	childRate  = 1 << 20
	leastLine  = 512
)

// ErrProtocol is wrapped by every error that says that the other end broke the rules of this package. The connection is
// of no use afterwards; a parent ends the child.
var ErrProtocol = errors.New("control protocol broken")

// Conn is one end of the pipe. Send and Receive may be used from many goroutines at once.
type Conn struct {
	conn net.Conn
	side side

	sending   chan struct{} // holds a token while somebody sends
	sendErr   error         // of the first send that broke off; guarded by sending
	receiving chan struct{} // likewise
	in        *bufio.Reader
	line      []byte // what has come of the next line
	recvErr   error  // of the first receive after which the stream is of no use
	budget    int    // of a parent: bytes it may still read before it waits, as of counted
	counted   time.Time
}

// NewParent makes the parent's end of c, which it owns from then on.
func NewParent(c net.Conn) *Conn { return newConn(c, parent) }

// NewChild makes the child's end of c, which it owns from then on.
func NewChild(c net.Conn) *Conn { return newConn(c, child) }

func newConn(c net.Conn, s side) *Conn {
	return &Conn{
		conn: c, side: s, in: bufio.NewReaderSize(c, 16<<10),
		sending: make(chan struct{}, 1), receiving: make(chan struct{}, 1), budget: childBurst, counted: time.Now(),
	}
}

// Send writes m. Texts of a child that are too long are cut; any other flaw of m is an error and nothing is written.
// If ctx ends first, Send returns its error; when part of m has been written by then, the connection cannot send any more.
func (c *Conn) Send(ctx context.Context, m Message) error {
	m = m.cut()
	if err := m.check(c.side); err != nil {
		return fmt.Errorf("send a control message: %w", err)
	}
	line, err := m.encode()
	if err != nil {
		return fmt.Errorf("encode a control message: %w", err)
	}
	if len(line) > limit(c.side) {
		return fmt.Errorf("send a control message: %s of %d bytes", m.Type, len(line))
	}
	if err := take(ctx, c.sending); err != nil {
		return err
	}
	defer func() { <-c.sending }()
	if c.sendErr != nil {
		return c.sendErr
	}
	release := guard(ctx, c.conn.SetWriteDeadline)
	n, err := c.conn.Write(line)
	release()
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	err = fmt.Errorf("send %s: %w", m.Type, err)
	if n > 0 {
		c.sendErr = err
	}
	return err
}

// Receive returns the next message. When the other end has closed the pipe the error is io.EOF; when it broke the
// rules it wraps [ErrProtocol]. If ctx ends first, Receive returns its error and nothing is lost.
func (c *Conn) Receive(ctx context.Context) (Message, error) {
	if err := take(ctx, c.receiving); err != nil {
		return Message{}, err
	}
	defer func() { <-c.receiving }()
	if c.recvErr != nil {
		return Message{}, c.recvErr
	}
	if err := c.pace(ctx); err != nil {
		return Message{}, err
	}
	release := guard(ctx, c.conn.SetReadDeadline)
	err := c.readLine()
	release()
	if err != nil && ctx.Err() != nil {
		return Message{}, ctx.Err()
	}
	var m Message
	if err == nil {
		m, err = c.parse()
	}
	if err != nil {
		c.recvErr = err
		return Message{}, err
	}
	return m, nil
}

// pace waits until there is something left of what a child may say.
func (c *Conn) pace(ctx context.Context) error {
	if c.side != parent {
		return nil
	}
	now := time.Now()
	c.budget = min(childBurst, c.budget+int(now.Sub(c.counted).Seconds()*childRate))
	c.counted = now
	if c.budget >= 0 {
		return nil
	}
	timer := time.NewTimer(time.Duration(-c.budget) * time.Second / childRate)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// readLine reads until c.line holds a whole line.
func (c *Conn) readLine() error {
	for {
		part, err := c.in.ReadSlice('\n')
		c.line = append(c.line, part...)
		switch {
		case len(c.line) > limit(c.peer()):
			return fmt.Errorf("%w: a line of more than %d bytes", ErrProtocol, limit(c.peer()))
		case err == nil:
			return nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(c.line) > 0:
			return fmt.Errorf("%w: the pipe ended within a line", ErrProtocol)
		case errors.Is(err, io.EOF):
			return io.EOF
		default:
			return fmt.Errorf("read the control pipe: %w", err)
		}
	}
}

// parse reads the message of c.line and empties it. The memory is not used again: the message may hold parts of it, and
// lines are few.
func (c *Conn) parse() (Message, error) {
	line := c.line
	c.line = nil
	c.budget -= max(len(line), leastLine)
	m, err := decode(line)
	if err == nil {
		err = m.check(c.peer())
	}
	if err != nil {
		return Message{}, fmt.Errorf("%w: %w", ErrProtocol, err)
	}
	return m, nil
}

// Close ends the pipe; Send and Receive in progress return.
func (c *Conn) Close() error { return c.conn.Close() }

func (c *Conn) peer() side {
	if c.side == parent {
		return child
	}
	return parent
}

// limit is the longest line that a side may send.
func limit(from side) int {
	if from == parent {
		return MaxFromParent
	}
	return MaxFromChild
}

func take(ctx context.Context, token chan struct{}) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case token <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// guard makes reading or writing, whose deadline set sets, break off when ctx ends. After release it has no deadline.
func guard(ctx context.Context, set func(time.Time) error) (release func()) {
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		_ = set(time.Unix(1, 0)) // fails only on a closed connection, which breaks off by itself
	})
	return func() {
		if !stop() {
			<-done
			_ = set(time.Time{})
		}
	}
}
