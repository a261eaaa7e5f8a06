package query

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"mcpstudio/mcpgen/driver"
	"mcpstudio/mcpgen/queue"
	"mcpstudio/mcpgen/transform"
)

// queueError says why a call did not get its turn.
func queueError(err error) *Error {
	if errors.Is(err, queue.ErrTimeout) {
		return &Error{Code: QueueTimeout, Position: -1, Err: err, Detail: err.Error(),
			Message: "The database is busy with other calls and this one's turn did not come in time. Try again in a few seconds."}
	}
	if errors.Is(err, queue.ErrFull) {
		return &Error{Code: QueueTimeout, Position: -1, Err: err, Detail: err.Error(),
			Message: "The database is busy with so many other calls that there is no place for this one to wait. Try again in a few seconds."}
	}
	return &Error{Code: Cancelled, Message: "The call was cancelled while it waited for its turn.", Position: -1, Err: err}
}

// databaseError turns a driver's error into ours: our sentence for the client, the database's words as Detail.
func (p *Prepared) databaseError(ctx context.Context, err error, lim driver.Limits) *Error {
	out := &Error{Code: Database, Position: -1, Err: err, Detail: err.Error()}
	var d *driver.Error
	if !errors.As(err, &d) {
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			out.Code, out.Message = Timeout, timeoutMessage(lim.Timeout)
		case isDone(ctx, err):
			out.Code, out.Message = Cancelled, "The call was cancelled."
		default:
			out.Code, out.Message = Internal, "The call failed inside the studio. The studio's log says why."
		}
		return out
	}
	out.SQLState, out.Hint, out.Position = d.SQLState, d.Hint, p.written(d.Position)
	state := ""
	if d.SQLState != "" {
		state = " (SQLSTATE " + d.SQLState + ")"
	}
	switch d.Kind {
	case driver.KindUnavailable:
		out.Code, out.Message = Unavailable, "The database cannot be reached at the moment. Try again later."
	case driver.KindAuth, driver.KindTLS, driver.KindConfig:
		out.Code, out.Message = Unavailable, "The studio cannot sign in to the database; the studio's admin must mend the connection."
	case driver.KindTimeout:
		out.Code, out.Message = Timeout, timeoutMessage(lim.Timeout)
	case driver.KindCancelled:
		out.Code, out.Message = Cancelled, "The call was cancelled."
	case driver.KindReadOnly:
		out.Code, out.Message = ReadOnly, "The database refused the statement: it would change data, and this tool may only read"+state+"."
	default:
		out.Message = "The database refused the statement: " + class(d) + state + "."
	}
	return out
}

// transformError says why a transform failed. Its limits have sentences for everyone; what a program raises may quote a
// value from the rows and stays with the admin.
func transformError(err error) *Error {
	out := &Error{Code: Transform, Message: "The tool's transform could not handle this result. The tool's author must mend it; other arguments may work.",
		Detail: err.Error(), Position: -1, Err: err}
	for _, limit := range []error{transform.ErrTimeout, transform.ErrTooLarge, transform.ErrMemory, transform.ErrTooDeep, transform.ErrBigNumber} {
		if errors.Is(err, limit) {
			out.Message = "The tool's answer could not be made: " + limit.Error() + "."
		}
	}
	return out
}

func timeoutMessage(d time.Duration) string {
	return fmt.Sprintf("The statement took longer than %s and was stopped. Ask for less, for example a narrower range.", d.Round(time.Millisecond))
}

// class says what the database's objection is, in words that hold nothing of the statement or the data.
func class(d *driver.Error) string {
	if words, ok := stateWords(d.SQLState); ok {
		return words
	}
	switch d.Kind {
	case driver.KindSyntax:
		return "it does not understand it; the tool's author must mend it"
	case driver.KindMissing:
		return "something it names does not exist; the tool's author must mend it"
	case driver.KindPermission:
		return "its user may not do this"
	case driver.KindData:
		return "a value does not fit; check the arguments"
	case driver.KindLimit:
		return "a limit was reached; ask for less"
	}
	return "its own words are for the tool's author, who sees them by running the tool in the studio"
}

// stateWords explains the commonest codes (PostgreSQL manual, appendix A).
func stateWords(state string) (string, bool) {
	switch state {
	case "42703":
		return "column does not exist", true
	case "42P01":
		return "table does not exist", true
	case "42883":
		return "function or operator does not exist for these types", true
	case "42601":
		return "syntax error", true
	case "42501":
		return "permission denied", true
	case "42804":
		return "types do not match", true
	case "42P18", "42P08":
		return "the type of a parameter cannot be determined; add a cast such as :name::text", true
	case "22P02", "22007":
		return "a value does not have the form its type needs; check the arguments", true
	case "22003":
		return "a number is out of range; check the arguments", true
	case "22008":
		return "a date or time is out of range; check the arguments", true
	case "22012":
		return "division by zero", true
	case "22001":
		return "a text is too long; check the arguments", true
	case "2201W", "2201X":
		return "LIMIT and OFFSET must not be negative; check the arguments", true
	case "2201B":
		return "a regular expression is not valid; check the arguments", true
	case "23505":
		return "a row with this key is there already", true
	case "23503":
		return "a row that is referred to does not exist, or is still referred to", true
	case "23502":
		return "a value is required and was not given", true
	case "23514":
		return "a value breaks a check of the table", true
	case "40001", "40P01":
		return "it collided with another transaction; try again", true
	case "55P03":
		return "a lock was not available; try again", true
	case "53300":
		return "it has too many connections; try again later", true
	case "53100", "53200", "53400", "54000", "54001":
		return "it ran out of room for this statement; ask for less", true
	}
	return "", false
}

// schemaError names the argument that breaks the author's schema and the rule it breaks. jsonschema's sentences name
// types and bounds, and may quote the value; they go back to whoever sent it.
func schemaError(err *jsonschema.ValidationError) *Error {
	for len(err.Causes) > 0 {
		err = err.Causes[0]
	}
	why := err.ErrorKind.LocalizedString(message.NewPrinter(language.English))
	if len(err.InstanceLocation) == 0 {
		return invalid("", "Arguments do not match the tool's input schema: "+why+".")
	}
	at := strings.Join(err.InstanceLocation, ".")
	return invalid(err.InstanceLocation[0], "Argument "+at+" does not match the tool's input schema: "+why+".")
}
