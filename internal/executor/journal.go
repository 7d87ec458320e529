package executor

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"os"
	"sync"

	bolt "go.etcd.io/bbolt"
)

// journal is a database with a plain file before it. What changes is appended to the file, which is one write; it is
// brought into the database when there is much of it, and when the daemon ends, so that an older version that is
// started then finds all of it there. The file survives the death of the process between any two writes.
type journal struct {
	db  *bolt.DB
	log *slog.Logger

	mu   sync.Mutex
	file *os.File
	size int64            // of what is whole in the file; 0: it is of no use until all is in the database
	due  int64            // the size at which it is brought into the database
	news map[place][]byte // what the file has beyond the database; nil: taken out
}

// place is where something lies in the database.
type place struct {
	bucket string
	key    string
}

// journalLimit is how long the file may grow before it is brought into the database.
const journalLimit = 1 << 20

// The file begins with the number of the database's last change: when the database has another one, all of the file is
// in it already, or an older version has gone on without it.
const (
	journalMagic  = "cercoLJ1"
	journalHeader = len(journalMagic) + 8
	recordHeader  = 8 // length and checksum
)

// openJournal opens the file beside a database, and brings what it has into the database.
func openJournal(name string, db *bolt.DB, log *slog.Logger) (*journal, error) {
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	j := &journal{db: db, log: log, file: file, news: map[place][]byte{}}
	data, err := io.ReadAll(file)
	if err == nil {
		var last uint64
		if last, err = j.last(); err == nil {
			j.read(data, last)
			err = j.settle()
		}
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return j, nil
}

// last is the number of the database's last change.
func (j *journal) last() (id uint64, err error) {
	err = j.db.View(func(tx *bolt.Tx) error {
		id = uint64(tx.ID())
		return nil
	})
	return id, err
}

// read takes in what was appended to the database of that number, up to what a dying process left half written.
func (j *journal) read(data []byte, last uint64) {
	if len(data) < journalHeader || string(data[:len(journalMagic)]) != journalMagic || binary.BigEndian.Uint64(data[len(journalMagic):]) != last {
		return
	}
	for data = data[journalHeader:]; len(data) >= recordHeader; {
		n, sum := int(binary.BigEndian.Uint32(data)), binary.BigEndian.Uint32(data[4:])
		data = data[recordHeader:]
		if n > len(data) || crc32.ChecksumIEEE(data[:n]) != sum || !j.take(data[:n]) {
			return
		}
		data = data[n:]
	}
}

// take takes a record in; false: it is none.
func (j *journal) take(record []byte) bool {
	news := map[place][]byte{}
	for len(record) > 0 {
		var at place
		var ok bool
		var value, field []byte
		if field, record, ok = cutField(record); !ok {
			return false
		}
		at.bucket = string(field)
		if field, record, ok = cutField(record); !ok || len(record) == 0 {
			return false
		}
		at.key = string(field)
		there := record[0] == 1
		record = record[1:]
		if there {
			if value, record, ok = cutField(record); !ok {
				return false
			}
			if value == nil {
				value = []byte{}
			}
		}
		news[at] = value
	}
	for at, value := range news {
		j.news[at] = value
	}
	return true
}

func cutField(b []byte) (field, rest []byte, ok bool) {
	n, used := binary.Uvarint(b)
	if used <= 0 || n > uint64(len(b)-used) {
		return nil, nil, false
	}
	return b[used : used+int(n) : used+int(n)], b[used+int(n):], true
}

func appendField(b, field []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(field))), field...)
}

// changes are those that are made together.
type changes struct {
	record []byte // with room for its header
	list   []change
}

type change struct {
	at    place
	value []byte // nil: it is taken out
}

func (c *changes) set(bucket string, key, value []byte) {
	if c.record == nil {
		c.record = make([]byte, recordHeader, recordHeader+len(key)+len(value)+32)
	}
	c.record = append(appendField(appendField(c.record, []byte(bucket)), key), 1)
	c.record = appendField(c.record, value)
	c.list = append(c.list, change{place{bucket, string(key)}, value})
}

func (c *changes) drop(bucket string, key []byte) {
	if c.record == nil {
		c.record = make([]byte, recordHeader, recordHeader+len(key)+32)
	}
	c.record = append(appendField(appendField(c.record, []byte(bucket)), key), 0)
	c.list = append(c.list, change{place{bucket, string(key)}, nil})
}

func (c *changes) put(bucket string, key []byte, v any) error {
	data, err := json.Marshal(v)
	if err == nil {
		c.set(bucket, key, data)
	}
	return err
}

func (c *changes) putNumber(bucket, name string, n uint64) {
	c.set(bucket, []byte(name), binary.BigEndian.AppendUint64(nil, n))
}

// make makes changes: all of them, or none with an error.
func (j *journal) make(c *changes) error {
	if len(c.list) == 0 {
		return nil
	}
	body := c.record[recordHeader:]
	binary.BigEndian.PutUint32(c.record, uint32(len(body)))
	binary.BigEndian.PutUint32(c.record[4:], crc32.ChecksumIEEE(body))
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.size == 0 {
		if err := j.settle(); err != nil {
			return err
		}
	}
	if n, err := j.file.Write(c.record); err != nil {
		if n > 0 && j.file.Truncate(j.size) != nil { // what comes next must be found behind what is whole
			j.size = 0
		}
		return err
	}
	j.size += int64(len(c.record))
	for _, x := range c.list {
		j.news[x.at] = x.value
	}
	if j.size >= j.due {
		if err := j.settle(); err != nil { // nothing is lost by it
			j.due = j.size + journalLimit
			j.log.Error("the ledger's journal cannot be brought into its database", "err", err)
		}
	}
	return nil
}

// view reads the database, which has all then.
func (j *journal) view(f func(*bolt.Tx) error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.settle(); err != nil {
		return err
	}
	return j.db.View(f)
}

// settle brings the file into the database.
func (j *journal) settle() error {
	if len(j.news) > 0 {
		err := j.db.Update(func(tx *bolt.Tx) error {
			for at, value := range j.news { //house:unordered each has a place of its own
				b, err := tx.CreateBucketIfNotExists([]byte(at.bucket))
				if err == nil && value != nil {
					err = b.Put([]byte(at.key), value)
				} else if err == nil {
					err = b.Delete([]byte(at.key))
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		clear(j.news)
	}
	j.size = 0
	last, err := j.last()
	if err != nil {
		return err
	}
	if err := j.file.Truncate(0); err != nil {
		return err
	}
	if _, err := j.file.Write(binary.BigEndian.AppendUint64([]byte(journalMagic), last)); err != nil {
		return fmt.Errorf("%s: %w", j.file.Name(), err)
	}
	j.size, j.due = int64(journalHeader), journalLimit
	return nil
}

// close brings all into the database, and closes both.
func (j *journal) close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return errors.Join(j.settle(), j.file.Close(), j.db.Close())
}
