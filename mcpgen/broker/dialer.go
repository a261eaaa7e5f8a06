package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"time"
)

// ErrGone is returned when the parent is gone: nothing can be dialled any more.
var ErrGone = errors.New("the studio has gone")

// Dialer is the child's end. Its methods are safe for concurrent use.
type Dialer struct {
	conn *net.UnixConn
	done chan struct{}

	mu   sync.Mutex
	next uint32                 // guarded by mu
	wait map[uint32]chan answer // guarded by mu: requests whose caller still waits
}

// answer is a reply with what came along.
type answer struct {
	reply reply
	file  *os.File // nil when there is none
}

// NewDialer takes over the child's end of a Pair, which f is. Close or the parent's end stops it.
func NewDialer(f *os.File) (*Dialer, error) {
	c, err := net.FileConn(f)
	_ = f.Close() // FileConn works on a copy
	if err != nil {
		return nil, fmt.Errorf("broker socket: %w", err)
	}
	u, ok := c.(*net.UnixConn)
	if !ok {
		_ = c.Close()
		return nil, fmt.Errorf("broker socket: it is a %T", c)
	}
	d := &Dialer{conn: u, done: make(chan struct{}), wait: map[uint32]chan answer{}}
	go d.receive()
	return d, nil
}

// Done is closed when the parent is gone, or after Close.
func (d *Dialer) Done() <-chan struct{} { return d.done }

// Close ends the dialer and waits until it has; dials under way return ErrGone.
func (d *Dialer) Close() error {
	err := d.conn.Close()
	<-d.done
	return err
}

// receive hands replies to their callers until the parent is gone. A socket nobody waits for any more is closed.
func (d *Dialer) receive() {
	defer close(d.done)
	defer d.conn.Close()
	buf := make([]byte, 2*maxMessage)
	for {
		n, file, err := receiveWithFile(d.conn, buf)
		if err != nil || n == 0 {
			return
		}
		var r reply
		if json.Unmarshal(buf[:n], &r) != nil {
			r.Error = "" // the parent does not send such; with the id there is, the caller learns that nothing came
		}
		d.mu.Lock()
		waiting := d.wait[r.ID]
		delete(d.wait, r.ID)
		d.mu.Unlock()
		if waiting == nil {
			if file != nil {
				_ = file.Close()
			}
			continue
		}
		waiting <- answer{r, file} // buffered: the caller may have left
	}
}

// Dial asks for the connection conn at host:port and returns the connected socket, a bare *net.TCPConn as drivers
// expect. The error is a *DialError with the stage, ctx's error, or ErrGone, each with host:port in front.
func (d *Dialer) Dial(ctx context.Context, conn, host string, port int) (net.Conn, error) {
	at := net.JoinHostPort(host, strconv.Itoa(port))
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", at, err)
	}
	reply := make(chan answer, 1)
	d.mu.Lock()
	d.next++
	id := d.next
	d.wait[id] = reply
	d.mu.Unlock()
	if err := d.ask(request{ID: id, Conn: conn, Host: host, Port: port}); err != nil {
		d.abandon(id, reply)
		return nil, fmt.Errorf("%s: %w", at, err)
	}
	select {
	case a := <-reply:
		return a.conn(at)
	case <-ctx.Done():
		d.abandon(id, reply)
		return nil, fmt.Errorf("%s: %w", at, ctx.Err())
	case <-d.done:
		d.abandon(id, reply)
		return nil, fmt.Errorf("%s: %w", at, ErrGone)
	}
}

// ask sends a request. What the parent would count as abuse is refused here.
func (d *Dialer) ask(r request) error {
	b, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode request: %w", err)
	}
	if _, err := parseRequest(b); err != nil {
		return &DialError{StagePolicy, "cannot be asked for: " + err.Error()}
	}
	if err := d.conn.SetWriteDeadline(time.Now().Add(writeDeadline)); err != nil {
		return ErrGone
	}
	_, err = d.conn.Write(b)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &DialError{StageTimeout, "the studio does not take requests"}
	default:
		return ErrGone
	}
}

// abandon stops waiting for a reply and closes a socket that came in the meantime.
func (d *Dialer) abandon(id uint32, reply chan answer) {
	d.mu.Lock()
	_, waiting := d.wait[id]
	delete(d.wait, id)
	d.mu.Unlock()
	if waiting {
		return // receive will find nobody and close it
	}
	// receive has taken the channel and is about to fill it, or has.
	select {
	case a := <-reply:
		if a.file != nil {
			_ = a.file.Close()
		}
	case <-d.done:
		select {
		case a := <-reply:
			if a.file != nil {
				_ = a.file.Close()
			}
		default: // never asked for, or receive ended before
		}
	}
}

// conn turns the answer into a connection.
func (a answer) conn(at string) (net.Conn, error) {
	if a.file == nil {
		stage, message := a.reply.Stage, a.reply.Error
		if message == "" {
			stage, message = StageConnect, "no socket came with the answer: too many are open"
		}
		return nil, &DialError{stage, at + ": " + message}
	}
	c, err := net.FileConn(a.file)
	_ = a.file.Close()
	if err != nil {
		return nil, fmt.Errorf("%s: received socket: %w", at, err)
	}
	if _, ok := c.(*net.TCPConn); !ok {
		_ = c.Close()
		return nil, fmt.Errorf("%s: received a %T", at, c)
	}
	return c, nil
}
