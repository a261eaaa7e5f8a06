package studio

import (
	"context"
	"fmt"
	"strings"

	"mcpstudio/auth"
	"mcpstudio/server/op"
	"mcpstudio/store"
	"mcpstudio/store/db"
)

// entity is what a collection keeps: something that can judge itself.
type entity interface {
	store.Entity
	Check() error
}

// draft makes a new entity, patch changes one.
type draft[T any] interface{ New() T }

type patch[T any] interface {
	Target() (id string, version int)
	Apply(T) error
}

// kept is get, update and delete for one kind of entity, the same way for every kind: rules, row and history in one transaction.
// Lists differ by their filters and are declared beside it.
type kept[T entity, P patch[T]] struct {
	s   *Service
	one string // tool
	// check judges what needs other rows. It runs inside the transaction of the write, so what it saw still holds when v is stored.
	check func(tx *db.Tx, v T) error
}

// collection is kept for the kinds that are made from a draft.
type collection[T entity, D draft[T], P patch[T]] struct {
	kept[T, P]
	many string // tools: path and tag
}

func newCollection[T entity, D draft[T], P patch[T]](s *Service, one, many string, check func(*db.Tx, T) error) collection[T, D, P] {
	return collection[T, D, P]{kept[T, P]{s, one, check}, many}
}

// ops declares what is the same for every kind; remove is left out where a kind has its own way.
func (c collection[T, D, P]) ops(withDelete bool) []op.Op {
	all, each, article := "/"+c.many, "/"+c.many+"/{id}", "a "+c.one
	ops := []op.Op{
		declare(op.Op{Name: "get_" + c.one, Route: "GET " + each, Tag: c.many, Agent: true, Scope: auth.ScopeRead, Doc: "Get one " + c.one + "."}, c.get),
		declare(op.Op{Name: "create_" + c.one, Route: "POST " + all, Tag: c.many, Agent: true, Scope: auth.ScopeWrite, Effect: op.Write, Status: 201, Doc: "Create " + article + "."}, c.create),
		declare(op.Op{Name: "update_" + c.one, Route: "PATCH " + each, Tag: c.many, Agent: true, Scope: auth.ScopeWrite, Effect: op.Write, Doc: "Change fields of " + article + "; the version last read must be sent."}, c.update),
	}
	if withDelete {
		ops = append(ops, declare(op.Op{Name: "delete_" + c.one, Route: "DELETE " + each, Tag: c.many, Agent: true, Scope: auth.ScopeWrite, Effect: op.Delete, Doc: "Delete " + article + "."}, c.remove))
	}
	return ops
}

func (c kept[T, P]) get(ctx context.Context, in byID) (T, error) {
	return view(ctx, c.s, func(tx *db.Tx) (T, error) { return db.Get[T](tx, in.ID) })
}

func (c collection[T, D, P]) create(ctx context.Context, d D) (T, error) {
	return update(ctx, c.s, "create_"+c.one, func(tx *db.Tx) (T, error) { return c.insert(tx, d.New()) })
}

// insert judges and stores a new entity.
func (c kept[T, P]) insert(tx *db.Tx, v T) (T, error) {
	if err := v.Check(); err != nil {
		return v, err
	}
	if err := c.check(tx, v); err != nil {
		return v, err
	}
	return v, db.Insert(tx, v)
}

func (c kept[T, P]) update(ctx context.Context, p P) (T, error) {
	id, version := p.Target()
	return update(ctx, c.s, "update_"+c.one, func(tx *db.Tx) (T, error) {
		v, err := db.Get[T](tx, id)
		if err != nil {
			return v, err
		}
		if v.Head().Version != version { // before Apply, so that Current shows what is stored
			return v, stale(v, version)
		}
		if err := p.Apply(v); err != nil {
			return v, err
		}
		if err := v.Check(); err != nil {
			return v, err
		}
		if err := c.check(tx, v); err != nil {
			return v, err
		}
		return v, db.Update(tx, v, version)
	})
}

func stale(v store.Entity, version int) error {
	return &store.Error{Code: store.Stale, Field: "version", Current: v,
		Message: fmt.Sprintf("the %s was changed meanwhile: version %d is current, %d was sent", strings.ReplaceAll(string(v.Kind()), "_", " "), v.Head().Version, version)}
}

func (c kept[T, P]) remove(ctx context.Context, in byID) (struct{}, error) {
	return update(ctx, c.s, "delete_"+c.one, func(tx *db.Tx) (struct{}, error) { return struct{}{}, db.Delete[T](tx, in.ID) })
}

// list returns a page. keep narrows by what the store has no column for; nil keeps all.
func list[T store.Entity](ctx context.Context, s *Service, q store.Query, keep func(T) bool, filters ...db.Filter) (store.Page[T], error) {
	return view(ctx, s, func(tx *db.Tx) (store.Page[T], error) {
		if keep == nil {
			return db.List[T](tx, q, filters...)
		}
		return sift(tx, q, keep, filters...)
	})
}

// sift pages through everything the store finds and keeps the page of what passes.
func sift[T store.Entity](tx *db.Tx, q store.Query, keep func(T) bool, filters ...db.Filter) (store.Page[T], error) {
	out := store.Page[T]{Items: []T{}}
	q, err := q.Clean()
	if err != nil {
		return out, err
	}
	for at := (store.Query{Limit: store.MaxLimit, Search: q.Search, Sort: q.Sort}); ; at.Skip += at.Limit {
		page, err := db.List[T](tx, at, filters...)
		if err != nil {
			return out, err
		}
		for _, v := range page.Items {
			if !keep(v) {
				continue
			}
			if out.Total >= q.Skip && len(out.Items) < q.Limit {
				out.Items = append(out.Items, v)
			}
			out.Total++
		}
		if at.Skip+at.Limit >= page.Total {
			return out, nil
		}
	}
}
