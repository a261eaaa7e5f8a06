// Package broker hands sockets through the wall: the sandboxed child cannot make one, so it asks the parent to dial a
// connection it was configured with, and gets the connected TCP socket itself (SCM_RIGHTS, unix(7)). After that no byte
// passes through the parent.
//
// Both ends are here. The parent's end, Server, trusts nothing the child says: a request is compared with the
// allowlist, never parsed into a destination. Names are resolved in the parent, every address is checked before it is
// dialled and again on the socket, and the checked address is the dialled one, so a name that changes its answer gains
// nothing. Requests are bounded in size, rate and number; a child that breaks the protocol is reported.
//
// Its hole: once connected, a socket speaks to its database as the child likes, for as long as it likes. And a
// database in a private range is only as private as the admin who allowed it says.
//
// The wire, one datagram each way on a SOCK_SEQPACKET pair:
//
//	child → parent  {"id":1,"conn":"c7","host":"db.example.com","port":5432}            at most 1,024 bytes
//	parent → child  {"id":1,"addr":"192.0.2.7:5432"} and one descriptor
//	                {"id":1,"stage":"policy","error":"…"} and none
package broker
