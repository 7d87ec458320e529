package main

import (
	"math/rand/v2"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// found is a call that the two answer differently.
type found struct {
	Seed      uint64
	In        []string
	Call      call
	Want, Got outcome
}

// bout is a sequence of calls, each upon what the one before it left.
type bout struct {
	grammar *grammar
	corpus  *corpus
	oracle  *oracle
	command []string
	length  int
}

// run goes through the calls of a seed. Where the two part it goes on with what pcs made.
func (b *bout) run(seed uint64) (made int, all []found, err error) {
	random := rand.New(rand.NewPCG(seed, 2))
	now := b.begin(random)
	recorded := -1
	if len(b.corpus.calls) > 0 && random.IntN(3) == 0 {
		recorded = random.IntN(len(b.corpus.calls))
	}
	for range b.length {
		var c call
		if recorded >= 0 && recorded < len(b.corpus.calls) {
			c = b.corpus.calls[recorded]
			if made > 0 && c.CIB { // what the calls before have made, if they were about the same thing
				c.Before.CIB = now.CIB
			}
			c.Args = vary(random, c.Args, slotsOf(random, parse(c.Before.CIB)), b.corpus.words)
			recorded++
		} else {
			c = b.say(random, now)
		}
		want, err := b.oracle.ask(c)
		if err != nil {
			return made, all, err
		}
		got, err := ours(b.command, c)
		if err != nil {
			return made, all, err
		}
		made++
		if in := difference(want, got); len(in) > 0 {
			all = append(all, found{Seed: seed, In: in, Call: c, Want: want, Got: got})
		}
		if c.CIB {
			now.CIB = want.After.CIB
		}
		if c.Corosync && want.After.Corosync != nil {
			now.Corosync = want.After.Corosync
		}
	}
	return made, all, nil
}

// begin picks the files that a bout begins with, mostly small ones.
func (b *bout) begin(random *rand.Rand) state {
	pick := func(of [][]byte, most int) []byte { return of[random.IntN(min(len(of), most))] }
	most := len(b.corpus.cibs)
	if random.IntN(6) > 0 {
		most = most * 9 / 10
	}
	return state{CIB: pick(b.corpus.cibs, max(1, most)), Corosync: pick(b.corpus.corosyncs, len(b.corpus.corosyncs))}
}

// say makes a call of the grammar about a configuration.
func (b *bout) say(random *rand.Rand, now state) call {
	s := slotsOf(random, parse(now.CIB))
	args := (&speaker{Rand: random, grammar: b.grammar, slots: s.of}).call()
	c := call{CIB: true, Before: now}
	switch args[0] {
	case "+C":
		c.Corosync, args = true, args[1:]
	case "-F":
		c.CIB, c.Corosync, args = false, true, args[1:]
	}
	if !c.Corosync {
		c.Before.Corosync = nil
	}
	if !c.CIB {
		c.Before.CIB = nil
	}
	if strings.HasPrefix(strings.Join(args, " "), "cluster setup") {
		c.Before.Corosync = nil
	}
	if random.IntN(12) == 0 {
		args = vary(random, args, s, b.corpus.words)
	}
	c.Args = args
	return c
}

func parse(data []byte) *cib.Element {
	root, err := cib.Parse(cibFile, data)
	if err != nil {
		return nil
	}
	return root
}
