//go:build linux

package sandbox

import (
	"encoding/binary"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// archAttacks go through the other system call tables of the machine.
func archAttacks() []attack {
	return []attack{
		{"x32 socket", true, func(targets) string {
			_, err := sys(x32Bit|unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM, 0)
			return verdict(err, "socket made")
		}},
		{"i386 getpid", false, func(targets) string {
			if i386Page == nil {
				return "blocked no executable page"
			}
			code := uintptr(unsafe.Pointer(&i386Page[0]))
			entry := &code // a func value points to its code pointer
			(*(*func())(unsafe.Pointer(&entry)))()
			if r := int32(binary.LittleEndian.Uint32(i386Page[2048:])); r < 0 {
				return fmt.Sprint("blocked ", r)
			}
			return "ESCAPE i386 call answered"
		}},
	}
}

// i386Page is prepared before the sandbox forbids executable pages: mov eax,20 (getpid); int 0x80; mov [r],eax; ret.
var i386Page = func() []byte {
	page, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil
	}
	code := append([]byte{0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0xa3}, binary.LittleEndian.AppendUint64(nil, uint64(uintptr(unsafe.Pointer(&page[2048]))))...)
	copy(page, append(code, 0xc3))
	return page
}()
