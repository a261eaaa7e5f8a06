// Package sqllex reads SQL the way each database's own lexer does, far enough to
// find the :name parameters, to see that a text is one statement, to say what
// class of statement it is, and to point at what must not be in it.
//
// It promises:
//
//   - tokens cover the input exactly, in one pass, in time linear in its length,
//     and no input makes it panic;
//   - a :name inside a string, a quoted identifier, a comment or a dollar quote is
//     never a parameter, and neither is a cast (::), an assignment (:=), an array
//     slice or a Snowflake path;
//   - [Statement.Bind] changes the parameters and not one other byte;
//   - where two servers, versions or session modes could disagree about where a
//     token ends, there is a [Problem] rather than a guess.
//
// Its hole: it is a lexer with a little grammar, not a parser. It does not know
// what a user-defined function or a view does, it cannot see the session's sql_mode
// or standard_conforming_strings, and it accepts much that the server will refuse.
// It is therefore the second fence. The first is the database itself: read-only
// sessions, the extended protocol, least-privilege roles. DESIGN.md has the
// invariants.
package sqllex
