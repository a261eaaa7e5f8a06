package broker

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"testing"
	"time"
)

// transfer is a child in the middle of its work: it asks for connections without end and sends over them what comes back.
func transfer(address string) {
	at := netip.MustParseAddrPort(address)
	d, err := NewDialer(os.NewFile(3, "broker"))
	if err != nil {
		os.Exit(3)
	}
	block := bytes.Repeat([]byte("x"), 64<<10)
	for {
		c, err := d.Dial(context.Background(), "c1", at.Addr().String(), int(at.Port()))
		if err != nil {
			time.Sleep(time.Millisecond) // more than it may have, or the parent is going
			continue
		}
		go func() { _, _ = io.Copy(c, bytes.NewReader(bytes.Repeat(block, 64))) }()
		go func() { _, _ = io.Copy(io.Discard, c) }()
		_, _ = os.Stdout.WriteString(".") // the first socket is in use
	}
}

// case 234, 235: children that are killed in the middle of a transfer leave the parent with the descriptors it had. A
// sample of 40 in every run, all 1,000 with STUDIO_VERIFY=1; the moments are drawn from a fixed seed.
func TestKilledInMidTransfer(t *testing.T) {
	kills := 40
	if os.Getenv("STUDIO_VERIFY") != "" {
		kills = 1000
	}
	db := echo(t, "127.0.0.1:0")
	moments := rand.New(rand.NewPCG(235, 1))
	before := descriptors(t)
	var allowed int64
	for range kills {
		allowed += killOne(t, db, time.Duration(moments.IntN(8000))*time.Microsecond)
	}
	if allowed < int64(kills) {
		t.Errorf("%d sockets in %d children: they were killed before their work began", allowed, kills)
	}
	deadline := time.Now().Add(time.Minute)
	for descriptors(t) > before && time.Now().Before(deadline) { // the echo server closes its ends in its own time
		time.Sleep(5 * time.Millisecond)
	}
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors, then %d after %d kills", before, after, kills)
	}
	t.Logf("%d children killed, %d sockets handed over, %d descriptors before and after", kills, allowed, before)
}

// killOne runs one child until its first transfer has begun and kills it a moment later. It returns how many sockets it got.
func killOne(t *testing.T, db netip.AddrPort, moment time.Duration) int64 {
	t.Helper()
	parent, child, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	s := NewServer(Options{Allow: map[string]Target{"c1": {db.Addr().String(), int(db.Port()), true}}})
	served := make(chan error, 1)
	go func() { served <- s.Serve(t.Context(), parent) }()
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "broker-child", db.String())
	cmd.ExtraFiles, cmd.Stderr = []*os.File{child}, os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	child.Close()
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatalf("the child did not get a socket: %v", err)
	}
	time.Sleep(moment)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed: that is its error
	select {
	case err := <-served:
		if err != nil {
			t.Errorf("serve: %v", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("Serve does not end with its child")
	}
	return s.Stats().Allowed
}
