package sqlite

import "fmt"

// Migrate brings the database to version len(steps): steps[i] is what leads from
// version i to i+1, any number of statements, run in a transaction of its own. Steps
// are never changed after a release, only added. A database of a version that steps
// do not reach is ErrNewer.
func Migrate(db *DB, steps []string) error {
	if err := db.usable(); err != nil {
		return err
	}
	at, err := db.number(`PRAGMA user_version`)
	if err != nil {
		return classify(err)
	}
	if at < 0 || at > int64(len(steps)) {
		return fmt.Errorf("%w (version %d, this program knows %d)", ErrNewer, at, len(steps))
	}
	for i := int(at); i < len(steps); i++ {
		err := db.Update(func(*Tx) error {
			if err := db.conn.Exec(steps[i]); err != nil {
				return classify(err)
			}
			return classify(db.conn.Exec(fmt.Sprintf(`PRAGMA user_version = %d`, i+1)))
		})
		if err != nil {
			return fmt.Errorf("migrate to version %d: %w", i+1, err)
		}
	}
	return nil
}

// Version is the number of migration steps that the database has seen.
func (db *DB) Version() (int, error) {
	if err := db.usable(); err != nil {
		return 0, err
	}
	v, err := db.number(`PRAGMA user_version`)
	return int(v), classify(err)
}
