// Package pipe makes the stream sockets that go through the wall between the studio and a child it starts: one for calls
// (package hop), one for control messages (package control). The broker's, which carries messages and descriptors, is its own.
//
// It promises that neither end reaches any other process than the one it is handed to.
//
// Its hole: it works where a process can inherit a Unix socket, which is everywhere a child can be confined.
package pipe
