package broker

// Stage is the step of a dial that did not succeed.
type Stage string

// Stages, in the order of the steps.
const (
	StagePolicy  Stage = "policy"  // not in the allowlist, an address that is not allowed, or too many dials
	StageResolve Stage = "resolve" // the name has no address
	StageConnect Stage = "connect" // the address refused or cannot be reached
	StageTimeout Stage = "timeout" // nobody answered in time
)

// DialError is why a dial through the broker failed, in words for the admin.
type DialError struct {
	Stage   Stage
	Message string // such as "db.example.com:5432: connection refused"
}

// Error is the message.
func (e *DialError) Error() string { return e.Message }

// Timeout reports whether the dial ran out of time, as net.Error does.
func (e *DialError) Timeout() bool { return e.Stage == StageTimeout }

// DialStage is the stage for callers that do not know this package.
func (e *DialError) DialStage() string { return string(e.Stage) }
