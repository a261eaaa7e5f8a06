// Package hop carries MCP calls through the wall between the studio (the parent) and the sandboxed process that runs the
// generated server (the child). Both ends of the wire live here, with their limits.
//
// The parent reads the body of an HTTP request once, strictly, with [Scan]; [CheckHeaders] compares the result with the
// HTTP headers; [Link.Call] sends the parts, never the body, so that what the parent authorised is what the child runs:
// the child dispatches on the method, name, principal and allowed names in the frame and on nothing else. The child's
// end is [Serve].
//
// Many calls share one stream socket. A frame is a four-byte length, an eight-byte call id, a one-byte kind and a
// payload; all numbers are little-endian.
//
//	kind    direction        payload
//	call    parent → child   era, sizes, then the parts of one request; at most 8 MiB
//	cancel  parent → child   nothing; the caller has gone, stop the work
//	head    child → parent   status, rows, bytes, run and wait time, total size, code, first 64 KiB of the body
//	chunk   child → parent   the next at most 64 KiB of the body
//	end     child → parent   the last at most 64 KiB of the body; missing if the call was cancelled
//
// A head that holds the whole body stands alone. A longer body, at most 64 MiB, follows in chunks and one end. The
// child hands a chunk to the socket only when the one before has left, so a large answer delays a small one by no more
// than one chunk.
//
// Ids start at one, are never used twice on a link and are checked on both sides, as is every size. A frame that breaks
// a rule ends the link with an error that wraps [ErrFrame] and names what was wrong; the child is not trusted, so
// nothing it sends may crash the parent or make it wait beyond its own contexts. A child that takes ten to twenty seconds
// for one write counts as gone. Of the memory for calls under way in the child, 64 MiB, one principal may have as much as
// is left for the others.
//
// Writing is coalesced: whoever finds nobody writing becomes the writer and takes along what the others append
// meanwhile, so a busy link needs one system call for several frames and an idle one no extra goroutine.
//
// The hole: the bodies of answers in transit may take up to 256 MiB on one link; an answer that would go beyond is
// refused to its caller with [ErrTooLarge].
package hop
