package sandbox

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"mcpstudio/mcpgen/broker"

	"golang.org/x/sys/unix"
	_ "modernc.org/sqlite" // the driver of SQLite connections, whose file calls must pass
)

// jobs are what a test child can do once it is let in.
func jobs() map[string]func(job, func(int, string)) {
	once := func(f func(j job) (string, error)) func(job, func(int, string)) {
		return func(j job, emit func(int, string)) {
			text, err := f(j)
			if err != nil {
				text = "error: " + err.Error()
			}
			emit(0, text)
		}
	}
	return map[string]func(job, func(int, string)){
		"attacks":  attacksJob,
		"workload": once(workload),
		"sqlite":   once(readSQLite),
		"broker":   once(brokered),
		"root": once(func(j job) (string, error) {
			return "etc: " + openFile("/etc/passwd", unix.O_RDONLY) + "; read: " + openFile(j.Targets.Database, unix.O_RDONLY) +
				"; write: " + openFile(j.Targets.Database, unix.O_RDWR) + "; shm: " + openFile(j.Targets.Database+"-shm", unix.O_RDWR) +
				"; create: " + openFile(j.Targets.Dir+"/new", unix.O_CREAT|unix.O_RDWR) + "; root: " + openFile("/new", unix.O_CREAT|unix.O_RDWR), nil
		}),
		"scribble": once(func(j job) (string, error) {
			fd, err := unix.Open(j.Targets.Database, unix.O_RDWR|unix.O_CLOEXEC, 0)
			if err == nil {
				_, err = unix.Pwrite(fd, []byte("scribbled"), 0)
				_ = unix.Close(fd)
			}
			if err != nil {
				return "was refused: " + err.Error(), nil
			}
			return "wrote", nil
		}),
		"environ":   once(func(job) (string, error) { return strings.Join(append(os.Environ(), os.Args...), "|"), nil }),
		"grow":      once(grow),
		"grab":      once(grab),
		"uncounted": once(uncounted),
		"spoil":     once(spoil),
		"spin":      spin,
		"threads":   once(threads),
		"sleep":     once(func(job) (string, error) { time.Sleep(time.Minute); return "", nil }),
		"sigsys": once(func(job) (string, error) {
			_, err := sys(165 /* mount on amd64, getrusage on arm64 */)
			return verdict(err, "mounted"), nil
		}),
		"panic": once(func(job) (string, error) { panic("last words") }),
	}
}

// workload is what a server does: threads, timers, garbage, random bytes, and a socket it was passed.
func workload(job) (string, error) {
	f := os.NewFile(fdTCP, "tcp")
	c, err := net.FileConn(f)
	if err != nil {
		return "", fmt.Errorf("passed socket: %w", err)
	}
	defer c.Close()
	if err := f.Close(); err != nil {
		return "", err
	}
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return "", fmt.Errorf("passed socket is a %T", c)
	}
	if err := errors.Join(tcp.SetNoDelay(true), tcp.SetKeepAlive(true), tcp.SetKeepAlivePeriod(30*time.Second), tcp.SetLinger(0),
		tcp.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: time.Minute, Interval: time.Second, Count: 3})); err != nil {
		return "", fmt.Errorf("socket options: %w", err)
	}
	// A deadline that passes, then an echo.
	if err := c.SetReadDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
		return "", err
	}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		return "", fmt.Errorf("deadline: %v", err)
	}
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return "", err
	}
	message := make([]byte, 1<<20)
	if _, err := rand.Read(message); err != nil {
		return "", err
	}
	var wg sync.WaitGroup
	var writeErr error
	wg.Go(func() { _, writeErr = c.Write(message); writeErr = errors.Join(writeErr, tcp.CloseWrite()) })
	back, err := io.ReadAll(c)
	wg.Wait()
	if err := errors.Join(err, writeErr); err != nil {
		return "", fmt.Errorf("echo: %w", err)
	}
	if sha256.Sum256(back) != sha256.Sum256(message) {
		return "", fmt.Errorf("echo: %d bytes differ", len(back))
	}
	if err := churn(); err != nil {
		return "", err
	}
	return "done " + hex.EncodeToString(back[:4]) + " " + time.Now().UTC().Format(time.RFC3339), nil
}

// brokered asks the parent for a connection, since it cannot make one, and uses it.
func brokered(j job) (string, error) {
	d, err := broker.NewDialer(os.NewFile(fdTCP, "broker"))
	if err != nil {
		return "", err
	}
	defer d.Close()
	at := netip.MustParseAddrPort(j.Targets.TCP)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if c, err := d.Dial(ctx, "c1", at.Addr().String(), 1); err == nil {
		c.Close()
		return "", errors.New("a port that is not listed was dialled")
	}
	c, err := d.Dial(ctx, "c1", at.Addr().String(), int(at.Port()))
	if err != nil {
		return "", err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return "", err
	}
	if _, err := c.Write([]byte("ping")); err != nil {
		return "", err
	}
	b := make([]byte, 4)
	_, err = io.ReadFull(c, b)
	return string(b), err
}

// churn keeps the scheduler, the timers and the collector busy, from many threads.
func churn() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	sums := make(chan int, 32)
	for range 32 {
		wg.Go(func() {
			runtime.LockOSThread() // a thread each: clone must pass
			defer runtime.UnlockOSThread()
			t := time.NewTimer(5 * time.Millisecond)
			defer t.Stop()
			n := 0
			for range 20 {
				b := make([]byte, 256<<10)
				n += len(b)
			}
			select {
			case <-t.C:
			case <-ctx.Done():
			}
			sums <- n
		})
	}
	wg.Wait()
	big := make([]byte, 24<<20)
	big[len(big)-1] = 1
	runtime.GC()
	runtime.KeepAlive(big)
	if _, err := time.LoadLocation("UTC"); err != nil {
		return err
	}
	return ctx.Err()
}

// grow takes somewhat more memory than the least limit, and keeps it until the watchdog comes: more would be for RLIMIT_DATA to refuse.
func grow(job) (string, error) {
	var l [][]byte
	for range MinMemoryLimit>>20 + 16 {
		b := make([]byte, 1<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		l = append(l, b)
		time.Sleep(5 * time.Millisecond)
	}
	time.Sleep(2 * time.Minute)
	return fmt.Sprint(len(l), " MiB"), nil
}

// grab takes memory as fast as it can.
func grab(job) (string, error) {
	b, err := unix.Mmap(-1, 0, 80<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return "", err
	}
	for i := 0; i < len(b); i += 4096 {
		b[i] = 1
	}
	return fmt.Sprint(len(b)>>20, " MiB"), nil
}

// readSQLite opens Targets.Database with the real driver, reads, and must fail to write.
func readSQLite(j job) (string, error) {
	db, err := sql.Open("sqlite", "file:"+j.Targets.Database+"?mode=ro")
	if err != nil {
		return "", err
	}
	defer db.Close()
	var rows int
	if err := db.QueryRow("SELECT count(*) FROM t").Scan(&rows); err != nil {
		return "", err
	}
	var mode string
	if err := db.QueryRow("PRAGMA journal_mode").Scan(&mode); err != nil {
		return "", err
	}
	if _, err := db.Exec("INSERT INTO t VALUES (1)"); err == nil {
		return "", errors.New("could write")
	}
	if err := os.WriteFile(j.Targets.Database, nil, 0o600); err == nil {
		return "", errors.New("could truncate")
	}
	return fmt.Sprintf("%d rows, %s", rows, mode), nil
}
