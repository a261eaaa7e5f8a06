package broker

import (
	"errors"
	"net/netip"
	"testing"
	"time"
)

// case 175
func TestCheckAddr(t *testing.T) {
	for _, c := range []struct {
		addr            string
		strict, private error // with and without private addresses allowed
	}{
		{"8.8.8.8", nil, nil}, {"2606:4700::1111", nil, nil}, {"::ffff:8.8.8.8", nil, nil}, {"64:ff9b::808:808", nil, nil},
		{"127.0.0.1", ErrPrivate, nil}, {"127.255.255.254", ErrPrivate, nil}, {"::1", ErrPrivate, nil}, {"::ffff:127.0.0.1", ErrPrivate, nil},
		{"10.0.0.1", ErrPrivate, nil}, {"172.16.0.1", ErrPrivate, nil}, {"172.31.255.255", ErrPrivate, nil}, {"172.32.0.1", nil, nil}, {"192.168.0.1", ErrPrivate, nil},
		{"fd00::1", ErrPrivate, nil}, {"fc00::1", ErrPrivate, nil}, {"fec0::1", ErrPrivate, nil}, {"100.64.0.1", ErrPrivate, nil}, {"198.18.0.1", ErrPrivate, nil},
		{"240.0.0.1", ErrPrivate, nil}, {"0.1.2.3", ErrPrivate, nil}, {"192.0.2.1", ErrPrivate, nil}, {"2001:db8::1", ErrPrivate, nil},
		{"64:ff9b::7f00:1", ErrPrivate, nil}, {"2002:7f00:1::", ErrPrivate, nil}, {"::127.0.0.1", ErrPrivate, nil}, {"::ffff:0:127.0.0.1", ErrPrivate, nil},
		{"64:ff9b:1::10.0.0.1", ErrPrivate, nil}, {"2001::80ff:fffe", ErrPrivate, nil}, {"2a00::5efe:10.0.0.1", ErrPrivate, nil}, {"2002:0a00:1::1", ErrPrivate, nil},
		{"0.0.0.0", ErrSpecial, ErrSpecial}, {"::", ErrSpecial, ErrSpecial}, {"::ffff:0.0.0.0", ErrSpecial, ErrSpecial}, {"64:ff9b::", ErrSpecial, ErrSpecial},
		{"255.255.255.255", ErrSpecial, ErrSpecial}, {"224.0.0.1", ErrSpecial, ErrSpecial}, {"ff02::1", ErrSpecial, ErrSpecial}, {"ff0e::1", ErrSpecial, ErrSpecial},
		{"169.254.1.1", ErrSpecial, ErrSpecial}, {"fe80::1", ErrSpecial, ErrSpecial}, {"fe80::1%eth0", ErrSpecial, ErrSpecial}, {"::1%lo", ErrSpecial, ErrSpecial}, {"8.8.8.8", nil, nil},
		{"169.254.169.254", ErrMetadata, ErrMetadata}, {"::ffff:169.254.169.254", ErrMetadata, ErrMetadata}, {"64:ff9b::a9fe:a9fe", ErrMetadata, ErrMetadata},
		{"2002:a9fe:a9fe::1", ErrMetadata, ErrMetadata}, {"::169.254.169.254", ErrMetadata, ErrMetadata}, {"2001::5601:5601", ErrMetadata, ErrMetadata},
		{"fd00:ec2::254", ErrMetadata, ErrMetadata}, {"fd20:ce::254", ErrMetadata, ErrMetadata}, {"100.100.100.200", ErrMetadata, ErrMetadata}, {"168.63.129.16", ErrMetadata, ErrMetadata},
		{"169.254.170.2", ErrMetadata, ErrMetadata}, {"192.0.0.192", ErrMetadata, ErrMetadata},
		// NAT64 by a prefix of the network's own choice, of 96, 64, 56 and 48 bits.
		{"64:ff9b:1::8.8.8.8", ErrPrivate, nil}, {"100:0:0:1::1", ErrPrivate, nil},
		{"64:ff9b:1:0:a9:fea9:fe00:0", ErrMetadata, ErrMetadata}, {"64:ff9b:1:a9:fe:a9fe:1:1", ErrMetadata, ErrMetadata}, {"64:ff9b:1:a9fe:a9:fe00:1:1", ErrMetadata, ErrMetadata},
		{"64:ff9b:1:a9fe:1:100:1:1", ErrSpecial, ErrSpecial}, {"64:ff9b:1:0:8:808:800:0", ErrPrivate, nil},
	} {
		a := netip.MustParseAddr(c.addr)
		if err := CheckAddr(a, false); !errors.Is(err, c.strict) {
			t.Errorf("%s: %v, want %v", c.addr, err, c.strict)
		}
		if err := CheckAddr(a, true); !errors.Is(err, c.private) {
			t.Errorf("%s with private allowed: %v, want %v", c.addr, err, c.private)
		}
	}
	if err := CheckAddr(netip.Addr{}, true); !errors.Is(err, ErrSpecial) {
		t.Errorf("no address: %v", err)
	}
}

func TestBucket(t *testing.T) {
	now := time.Unix(0, 0)
	b := newBucket(dialBurst, dialRate, now)
	for i := range dialBurst {
		if !b.take(now) {
			t.Fatalf("empty after %d", i)
		}
	}
	if b.take(now) {
		t.Error("more than the burst")
	}
	if now = now.Add(time.Second / dialRate); !b.take(now) || b.take(now) {
		t.Error("refill is not one per hundredth of a second")
	}
	now = now.Add(time.Hour)
	for range dialBurst {
		b.take(now)
	}
	if b.take(now) {
		t.Error("refilled beyond the burst")
	}
}
