package sqlite

import (
	"fmt"
	"reflect"
	"time"

	"github.com/ncruces/go-sqlite3"
)

func bindAll(s *sqlite3.Stmt, args []any) error {
	if n := s.BindCount(); n != len(args) {
		return fmt.Errorf("%d arguments for %d places", len(args), n)
	}
	for i, a := range args {
		if err := bind(s, i+1, a); err != nil {
			return fmt.Errorf("argument %d: %w", i+1, err)
		}
	}
	return nil
}

// bind knows the common types by name; bindKind takes the types made of them.
func bind(s *sqlite3.Stmt, at int, a any) error {
	switch v := a.(type) {
	case nil:
		return s.BindNull(at)
	case int64:
		return s.BindInt64(at, v)
	case int:
		return s.BindInt64(at, int64(v))
	case uint64:
		// Kept as the same 64 bits: above 1<<63 the order of SQL is not that of Go.
		return s.BindInt64(at, int64(v))
	case uint32:
		return s.BindInt64(at, int64(v))
	case bool:
		return s.BindBool(at, v)
	case string:
		return s.BindText(at, v)
	case []byte:
		if v == nil {
			return s.BindNull(at)
		}
		return s.BindBlob(at, v)
	case [16]byte:
		return s.BindBlob(at, v[:])
	case [32]byte:
		return s.BindBlob(at, v[:])
	case time.Time:
		if v.IsZero() {
			return s.BindNull(at)
		}
		return s.BindInt64(at, v.UnixMilli())
	}
	return bindKind(s, at, reflect.ValueOf(a))
}

func bindKind(s *sqlite3.Stmt, at int, v reflect.Value) error {
	switch k := v.Kind(); {
	case v.CanInt():
		return s.BindInt64(at, v.Int())
	case v.CanUint():
		return s.BindInt64(at, int64(v.Uint()))
	case k == reflect.Bool:
		return s.BindBool(at, v.Bool())
	case k == reflect.String:
		return s.BindText(at, v.String())
	case k == reflect.Array && v.Type().Elem().Kind() == reflect.Uint8:
		b := make([]byte, v.Len())
		reflect.Copy(reflect.ValueOf(b), v)
		return s.BindBlob(at, b)
	case k == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8:
		return bind(s, at, v.Bytes())
	case k == reflect.Pointer && v.IsNil():
		return s.BindNull(at)
	case k == reflect.Pointer:
		return bind(s, at, v.Elem().Interface())
	}
	return fmt.Errorf("a %s cannot be kept", v.Type())
}

// Row is the present row of a query. Columns count from 0. It is good until the
// function it was given to returns; what it answers is a copy and stays good.
type Row struct {
	stmt *sqlite3.Stmt
	err  error
}

// Int is a column as a signed integer, 0 for NULL.
func (r *Row) Int(col int) int64 { return r.stmt.ColumnInt64(col) }

// Uint is what a uint64 was kept as.
func (r *Row) Uint(col int) uint64 { return uint64(r.stmt.ColumnInt64(col)) }

// Text is a column as text, "" for NULL.
func (r *Row) Text(col int) string { return r.stmt.ColumnText(col) }

// Bytes is a copy of a column's bytes: nil for NULL, empty for an empty blob.
func (r *Row) Bytes(col int) []byte {
	if r.Null(col) {
		return nil
	}
	return r.stmt.ColumnBlob(col, []byte{})
}

// Bool is whether a column is not 0.
func (r *Row) Bool(col int) bool { return r.stmt.ColumnInt64(col) != 0 }

// Null is whether a column is NULL.
func (r *Row) Null(col int) bool { return r.stmt.ColumnType(col) == sqlite3.NULL }

// Time is a column's Unix milliseconds as UTC, the zero time for NULL.
func (r *Row) Time(col int) time.Time {
	if r.Null(col) {
		return time.Time{}
	}
	return time.UnixMilli(r.stmt.ColumnInt64(col)).UTC()
}

// Array copies a column's bytes into dst, which must have exactly their length. The
// query fails after this row when they differ.
func (r *Row) Array(col int, dst []byte) {
	raw := r.stmt.ColumnRawBlob(col)
	if len(raw) != len(dst) {
		r.fail(col, fmt.Errorf("%d bytes where %d belong", len(raw), len(dst)))
		return
	}
	copy(dst, raw)
}

func (r *Row) fail(col int, err error) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: column %d: %w", ErrCorrupt, col, err)
	}
}

// Scan reads the first columns into the pointers, of the types that Exec takes. An
// array must have exactly the length of the column's bytes; a pointer to a pointer is
// set to nil for NULL. nil skips a column.
func (r *Row) Scan(dst ...any) error {
	if n := r.stmt.ColumnCount(); len(dst) > n {
		return fmt.Errorf("scan: %d places for %d columns", len(dst), n)
	}
	for i, d := range dst {
		if err := r.scan(i, d); err != nil {
			return err
		}
	}
	return r.err
}

func (r *Row) scan(col int, dst any) error {
	switch d := dst.(type) {
	case nil:
	case *int64:
		*d = r.Int(col)
	case *int:
		*d = int(r.Int(col))
	case *uint64:
		*d = r.Uint(col)
	case *uint32:
		*d = uint32(r.Int(col))
	case *bool:
		*d = r.Bool(col)
	case *string:
		*d = r.Text(col)
	case *[]byte:
		*d = r.Bytes(col)
	case *[16]byte:
		r.Array(col, d[:])
	case *[32]byte:
		r.Array(col, d[:])
	case *time.Time:
		*d = r.Time(col)
	default:
		return r.scanKind(col, reflect.ValueOf(dst))
	}
	return r.err
}

func (r *Row) scanKind(col int, p reflect.Value) error {
	if p.Kind() != reflect.Pointer || p.IsNil() {
		return fmt.Errorf("scan: column %d into a %s, which is no pointer", col, p.Type())
	}
	v := p.Elem()
	switch k := v.Kind(); {
	case v.CanInt():
		v.SetInt(r.Int(col))
	case v.CanUint():
		v.SetUint(r.Uint(col))
	case k == reflect.Bool:
		v.SetBool(r.Bool(col))
	case k == reflect.String:
		v.SetString(r.Text(col))
	case k == reflect.Array && v.Type().Elem().Kind() == reflect.Uint8:
		r.Array(col, v.Slice(0, v.Len()).Bytes())
	case k == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8:
		v.SetBytes(r.Bytes(col))
	case k == reflect.Pointer && r.Null(col):
		v.SetZero()
	case k == reflect.Pointer:
		fresh := reflect.New(v.Type().Elem())
		if err := r.scan(col, fresh.Interface()); err != nil {
			return err
		}
		v.Set(fresh)
	default:
		return fmt.Errorf("scan: column %d cannot become a %s", col, v.Type())
	}
	return r.err
}
