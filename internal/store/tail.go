package store

import (
	"encoding/binary"
	"fmt"

	"github.com/hashicorp/raft"
	"go.etcd.io/bbolt"
)

// item is a value under a key: an entry under its index, or a small fact.
type item struct {
	fact     bool
	key, val []byte
}

// batch is what one write brings, and how far the log is known to be committed then.
type batch struct {
	commit uint64
	items  []item
}

// itemHead is how many bytes of an item come before its key: kind, length of the key, length of the value.
const itemHead = 1 + 2 + 4

func (b batch) encode() []byte {
	n := 8
	for _, i := range b.items {
		n += itemHead + len(i.key) + len(i.val)
	}
	out := binary.BigEndian.AppendUint64(make([]byte, 0, n), b.commit)
	for _, i := range b.items {
		kind := byte('e')
		if i.fact {
			kind = 'f'
		}
		out = append(out, kind)
		out = binary.BigEndian.AppendUint16(out, uint16(len(i.key)))
		out = binary.BigEndian.AppendUint32(out, uint32(len(i.val)))
		out = append(append(out, i.key...), i.val...)
	}
	return out
}

// decodeBatch keeps pieces of what it reads.
func decodeBatch(in []byte) (b batch, err error) {
	if len(in) < 8 {
		return b, fmt.Errorf("%w: a record of %d bytes", errDamaged, len(in))
	}
	b.commit, in = binary.BigEndian.Uint64(in), in[8:]
	for len(in) > 0 {
		if len(in) < itemHead || in[0] != 'e' && in[0] != 'f' {
			return b, fmt.Errorf("%w: a record ends with %d bytes that make no sense", errDamaged, len(in))
		}
		i := item{fact: in[0] == 'f'}
		k, v := uint64(binary.BigEndian.Uint16(in[1:])), uint64(binary.BigEndian.Uint32(in[3:]))
		if in = in[itemHead:]; k+v > uint64(len(in)) {
			return b, fmt.Errorf("%w: a record's last item lacks %d bytes", errDamaged, k+v-uint64(len(in)))
		}
		i.key, i.val, in = in[:k:k], in[k:k+v:k+v], in[k+v:]
		if !i.fact {
			if err := decodeEntry(i.key, i.val, new(raft.Log)); err != nil {
				return b, err
			}
		}
		b.items = append(b.items, i)
	}
	return b, nil
}

// tail is what the journal has and the log's file has not: entries that follow those there, and facts.
type tail struct {
	entries []item // one after the other
	facts   map[string][]byte
}

func (t *tail) add(b batch) {
	for _, i := range b.items {
		if !i.fact {
			t.entries = append(t.entries, i)
			continue
		}
		if t.facts == nil {
			t.facts = map[string][]byte{}
		}
		t.facts[string(i.key)] = i.val
	}
}

// first and last are indexes of entries, 0 for none.
func (t *tail) first() uint64 {
	if len(t.entries) == 0 {
		return 0
	}
	return binary.BigEndian.Uint64(t.entries[0].key)
}

func (t *tail) last() uint64 {
	if len(t.entries) == 0 {
		return 0
	}
	return binary.BigEndian.Uint64(t.entries[len(t.entries)-1].key)
}

func (t *tail) entry(index uint64) (item, bool) {
	if first := t.first(); first == 0 || index < first || index > t.last() {
		return item{}, false
	}
	return t.entries[index-t.first()], true
}

// put writes all of it into the log's file.
func (t *tail) put(log, meta *bbolt.Bucket) error {
	if err := putItems(log, meta, t.entries); err != nil {
		return err
	}
	for k, v := range t.facts {
		if err := meta.Put([]byte(k), v); err != nil {
			return err
		}
	}
	return nil
}

func putItems(log, meta *bbolt.Bucket, items []item) error {
	for _, i := range items {
		to := log
		if i.fact {
			to = meta
		}
		if err := to.Put(i.key, i.val); err != nil {
			return err
		}
	}
	return nil
}
