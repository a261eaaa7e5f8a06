package sandbox

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Actions of a filter (seccomp(2)).
const (
	actKill  uint32 = unix.SECCOMP_RET_KILL_PROCESS
	actAllow uint32 = unix.SECCOMP_RET_ALLOW
)

// actErrno makes a call fail with e.
func actErrno(e unix.Errno) uint32 { return unix.SECCOMP_RET_ERRNO | uint32(e)&unix.SECCOMP_RET_DATA }

// op is how an argument is compared.
type op int

const (
	opEqual  op = iota // arg == value
	opMasked           // arg & mask == value
)

// cond is one test of one argument. The kernel takes many arguments as 32-bit ints and ignores the upper half of the
// register; low says to do the same, or a call with rubbish there would slip past a test for "not".
type cond struct {
	arg   int
	op    op
	mask  uint64
	value uint64
	low   bool
}

// rule decides one system call. Without alternatives act applies at once; with them, act applies when all conditions
// of one alternative hold, and other when none does.
type rule struct {
	name  string
	alts  [][]cond
	act   uint32
	other uint32
}

// Instruction codes of classic BPF as far as the assembler uses them.
const (
	codeLoad   = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
	codeJumpEq = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	codeJumpGe = unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K
	codeAnd    = unix.BPF_ALU | unix.BPF_AND | unix.BPF_K
	codeReturn = unix.BPF_RET | unix.BPF_K

	// Offsets into struct seccomp_data: nr, arch, instruction_pointer, args[6].
	offsetNr   = 0
	offsetArch = 4
	offsetArgs = 16

	x32Bit   = 0x40000000 // __X32_SYSCALL_BIT
	maxJump  = 255
	maxInsns = 4096 // BPF_MAXINSNS
)

func stmt(code uint16, k uint32) unix.SockFilter { return unix.SockFilter{Code: code, K: k} }

func jump(code uint16, k uint32, jt, jf uint8) unix.SockFilter {
	return unix.SockFilter{Code: code, Jt: jt, Jf: jf, K: k}
}

// condCode tests one condition: it falls through when it holds. A jump with Jf == maxJump is to be patched to the end
// of the alternative.
func condCode(c cond) []unix.SockFilter {
	mask := c.mask
	if c.op == opEqual {
		mask = ^uint64(0)
	}
	half := func(offset, mask, value uint32) []unix.SockFilter {
		code := []unix.SockFilter{stmt(codeLoad, offset)}
		if mask != ^uint32(0) {
			code = append(code, stmt(codeAnd, mask))
		}
		return append(code, jump(codeJumpEq, value, 0, maxJump))
	}
	offset := uint32(offsetArgs + 8*c.arg) // both supported architectures are little endian
	code := half(offset, uint32(mask), uint32(c.value))
	if !c.low {
		code = append(code, half(offset+4, uint32(mask>>32), uint32(c.value>>32))...)
	}
	return code
}

// block is the code of a rule after its number matched; it ends in a return on every path.
func block(r rule) ([]unix.SockFilter, error) {
	if len(r.alts) == 0 {
		return []unix.SockFilter{stmt(codeReturn, r.act)}, nil
	}
	var out []unix.SockFilter
	for _, alt := range r.alts {
		var code []unix.SockFilter
		for _, c := range alt {
			code = append(code, condCode(c)...)
		}
		code = append(code, stmt(codeReturn, r.act))
		if len(code) >= maxJump {
			return nil, fmt.Errorf("seccomp rule %s: alternative of %d instructions", r.name, len(code))
		}
		for i := range code {
			if code[i].Code == codeJumpEq && code[i].Jf == maxJump {
				code[i].Jf = uint8(len(code) - 1 - i)
			}
		}
		out = append(out, code...)
	}
	out = append(out, stmt(codeReturn, r.other))
	if len(out) > maxJump {
		return nil, fmt.Errorf("seccomp rule %s: %d instructions", r.name, len(out))
	}
	return out, nil
}

// arch is what a program must know about the machine it runs on.
type arch struct {
	audit   uint32            // AUDIT_ARCH_*
	x32     bool              // has a second table of calls behind x32Bit
	numbers map[string]uint32 // system call numbers by name; a name not in it does not exist there
}

// assemble makes one straight program: architecture, then each rule in turn, then def. A call made through another
// architecture's table (32-bit, x32) is killed before its number is looked at.
func assemble(rules []rule, def uint32, a arch) ([]unix.SockFilter, error) {
	prog := []unix.SockFilter{stmt(codeLoad, offsetArch), jump(codeJumpEq, a.audit, 1, 0), stmt(codeReturn, actKill), stmt(codeLoad, offsetNr)}
	if a.x32 {
		prog = append(prog, jump(codeJumpGe, x32Bit, 0, 1), stmt(codeReturn, actKill))
	}
	seen := map[string]bool{}
	for _, r := range rules {
		if seen[r.name] {
			return nil, fmt.Errorf("seccomp: two rules for %s", r.name)
		}
		seen[r.name] = true
		nr, ok := a.numbers[r.name]
		if !ok {
			continue
		}
		code, err := block(r)
		if err != nil {
			return nil, err
		}
		prog = append(prog, jump(codeJumpEq, nr, 0, uint8(len(code))))
		prog = append(prog, code...)
	}
	prog = append(prog, stmt(codeReturn, def))
	if len(prog) > maxInsns {
		return nil, fmt.Errorf("seccomp: program of %d instructions", len(prog))
	}
	return prog, nil
}

// installFilter puts the program on every thread at once; no_new_privs must be set before.
func installFilter(prog []unix.SockFilter) error {
	f := unix.SockFprog{Len: uint16(len(prog)), Filter: &prog[0]}
	thread, _, e := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&f)))
	if e != 0 {
		return e
	}
	if thread != 0 { // seccomp(2): the id of a thread that could not be synchronised
		return fmt.Errorf("thread %d could not be synchronised", thread)
	}
	return nil
}
