package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/hashicorp/raft"
)

// headLen is how many bytes of an entry come before its extensions and its data.
const headLen = 8 + 1 + 8 + 4

var errDamaged = errors.New("the log is damaged")

func indexKey(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// encodeEntry: term (8 bytes), type (1), time of appending in ns (8), length of the extensions (4),
// extensions, data, and a CRC-32C of the index and of all that is before it.
func encodeEntry(l *raft.Log) []byte {
	b := make([]byte, 0, headLen+len(l.Extensions)+len(l.Data)+4)
	b = binary.BigEndian.AppendUint64(b, l.Term)
	b = append(b, byte(l.Type))
	var at int64
	if !l.AppendedAt.IsZero() {
		at = l.AppendedAt.UnixNano()
	}
	b = binary.BigEndian.AppendUint64(b, uint64(at))
	b = binary.BigEndian.AppendUint32(b, uint32(len(l.Extensions)))
	b = append(b, l.Extensions...)
	b = append(b, l.Data...)
	return binary.BigEndian.AppendUint32(b, checksum(indexKey(l.Index), b))
}

// checksum is the CRC-32C of a and b. Its table is made once, by whoever needs it first: most commands do not.
func checksum(a, b []byte) uint32 {
	castagnoli := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Checksum(a, castagnoli), castagnoli, b)
}

// decodeEntry copies what it reads: bbolt's memory is valid within its transaction only.
func decodeEntry(key, v []byte, l *raft.Log) error {
	if len(key) != 8 || len(v) < headLen+4 {
		return fmt.Errorf("%w: an entry of %d bytes", errDamaged, len(v))
	}
	index := binary.BigEndian.Uint64(key)
	body, sum := v[:len(v)-4], binary.BigEndian.Uint32(v[len(v)-4:])
	if checksum(key, body) != sum {
		return fmt.Errorf("%w: entry %d has a wrong checksum", errDamaged, index)
	}
	ext := int(binary.BigEndian.Uint32(body[17:21]))
	if ext > len(body)-headLen {
		return fmt.Errorf("%w: entry %d has extensions beyond its end", errDamaged, index)
	}
	*l = raft.Log{Index: index, Term: binary.BigEndian.Uint64(body), Type: raft.LogType(body[8])}
	if at := int64(binary.BigEndian.Uint64(body[9:17])); at != 0 {
		l.AppendedAt = time.Unix(0, at)
	}
	if ext > 0 {
		l.Extensions = append([]byte(nil), body[headLen:headLen+ext]...)
	}
	l.Data = append([]byte(nil), body[headLen+ext:]...)
	return nil
}
