package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// journal takes writes in front of the log's bbolt file: each is one record and one fdatasync, where a transaction
// of bbolt needs two and several times the processor time. It holds what is not in that file yet. When it
// is full, all of it goes there in one transaction, and the next lap begins at the journal's start.
//
// The bbolt file says which lap counts, so that transaction voids the records of the one before. Records begin at
// pages of their own, and a record is written when the one before it is on the disk: no write touches a page that
// holds what was acknowledged, and only the last record of a lap can be torn.
type journal struct {
	f        *os.File
	lap, seq uint64 // of the next record
	at       int64  // its place
	size     int64  // of the file, all of which is written: what goes there needs no room and no news of the file system
	broken   bool   // a write has failed: nobody knows what the disk has of it, so nothing may follow it
}

const (
	journalFile = "log.journal"
	journalMax  = 1 << 20   // bytes
	journalGrow = 128 << 10 // the file grows by so much at a time
	pageSize    = 4096

	recordMagic = "CRJ1"
	recordHead  = 4 + 4 + 8 + 8 + 4 // magic, length of the body, lap, number in the lap, checksum
)

// newJournal makes an empty one beside the log's file. It counts from its first lap on, which is still to begin.
func newJournal(dir string) (j *journal, err error) {
	path := filepath.Join(dir, journalFile)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	j = &journal{f: f}
	if err = j.grow(journalGrow); err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		j.remove()
		return nil, err
	}
	return j, nil
}

// reopenJournal reads the records of a lap that has not ended. A last one that is torn is left out: nobody was told
// that it is on the disk. One that is damaged before others that are not is an error.
func reopenJournal(dir string, lap uint64) (j *journal, bodies [][]byte, err error) {
	path := filepath.Join(dir, journalFile)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil, fmt.Errorf("%s is missing: %w", path, errDamaged)
	}
	if err != nil {
		return nil, nil, diskError("open", path, err)
	}
	b, err := io.ReadAll(io.LimitReader(f, journalMax))
	if err != nil {
		_ = f.Close()
		return nil, nil, diskError("read", path, err)
	}
	bodies, end, err := scanRecords(b, lap)
	if err != nil {
		_ = f.Close()
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return &journal{f: f, lap: lap, seq: uint64(len(bodies)), at: end, size: int64(len(b)) / pageSize * pageSize}, bodies, nil
}

// takes reports whether a record of that many bytes can follow those that are there.
func (j *journal) takes(n int) bool { return !j.broken && j.at+int64(n) <= journalMax }

// append writes a record that encodeRecord has made; it is on the disk when there is no error.
func (j *journal) append(record []byte) error {
	err := j.grow(j.at + int64(len(record)))
	if err == nil {
		_, err = j.f.WriteAt(record, j.at)
	}
	if err == nil {
		err = syscall.Fdatasync(int(j.f.Fd()))
	}
	if err != nil {
		j.broken = true
		return err
	}
	j.at += int64(len(record))
	j.seq++
	return nil
}

// grow has the file be at least that long.
func (j *journal) grow(to int64) error {
	if to <= j.size {
		return nil
	}
	to = min((to+journalGrow-1)/journalGrow*journalGrow, journalMax)
	if _, err := j.f.WriteAt(make([]byte, to-j.size), j.size); err != nil {
		return err
	}
	j.size = to
	return nil
}

// next begins a lap; the log's file says already that the one before counts no more.
func (j *journal) next() { j.lap, j.seq, j.at = j.lap+1, 0, 0 }

// remove takes a journal away that counts no more. What is left of it in a crash is removed when the log is opened.
func (j *journal) remove() {
	_ = j.f.Close()
	_ = os.Remove(j.f.Name())
}

// encodeRecord fills whole pages.
func encodeRecord(lap, seq uint64, body []byte) []byte {
	n := recordHead + len(body)
	b := make([]byte, 0, (n+pageSize-1)/pageSize*pageSize)
	b = append(b, recordMagic...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(body)))
	b = binary.BigEndian.AppendUint64(b, lap)
	b = binary.BigEndian.AppendUint64(b, seq)
	b = binary.BigEndian.AppendUint32(b, checksum(b, body))
	b = append(b, body...)
	return b[:cap(b)]
}

// decodeRecord reads the record that b begins with; it is not whole, or of another lap, when ok is false.
func decodeRecord(b []byte, lap uint64) (seq uint64, body []byte, ok bool) {
	if len(b) < recordHead || !bytes.HasPrefix(b, []byte(recordMagic)) || binary.BigEndian.Uint64(b[8:]) != lap {
		return 0, nil, false
	}
	n, head := binary.BigEndian.Uint32(b[4:]), b[:recordHead-4]
	if uint64(n) > uint64(len(b)-recordHead) {
		return 0, nil, false
	}
	body = b[recordHead : recordHead+int(n)]
	if binary.BigEndian.Uint32(b[recordHead-4:]) != checksum(head, body) {
		return 0, nil, false
	}
	return binary.BigEndian.Uint64(b[16:]), body, true
}

// scanRecords finds the bodies of a lap's records, and where they end.
func scanRecords(b []byte, lap uint64) (bodies [][]byte, end int64, err error) {
	for int(end) < len(b) {
		seq, body, ok := decodeRecord(b[end:], lap)
		if !ok || seq != uint64(len(bodies)) {
			break
		}
		bodies = append(bodies, body)
		end += int64((recordHead + len(body) + pageSize - 1) / pageSize * pageSize)
	}
	for at := end; at < int64(len(b)); at += pageSize {
		if seq, _, ok := decodeRecord(b[at:], lap); ok {
			return nil, 0, fmt.Errorf("%w: record %d of its lap %d is not whole, but number %d is", errDamaged, len(bodies), lap, seq)
		}
	}
	return bodies, min(end, int64(len(b))), nil
}
