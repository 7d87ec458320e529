package pcs

import (
	"cmp"
	"slices"
)

// verb is one word of the command tree: a noun with verbs below it, or a verb that does something. One table of them drives
// dispatch, suggestions, usage, completion and the manual.
type verb struct {
	name    string
	aliases []string // other names, which are as good
	args    string   // what follows it, as usage shows it
	what    string   // what it does, in a sentence or a few
	options []string // long options that it takes besides those that all take
	live    bool     // it makes no sense on a file
	ownFile bool     // a -f without a word is the file that it is about
	loose   bool     // it takes any option
	bare    string   // the verb below it that is meant when no word follows
	run     func(c *call) error
	sub     []*verb
}

// nouns is the whole tree. A noun may come from several places: their verbs are joined. To add a noun, or verbs to one,
// write a function that returns it in a file of its own, and give it a line here.
func nouns() []*verb {
	return join(append(slices.Concat(statusShortcuts(), liveNouns(), clusterLifeNouns(), ownNouns(), watchdogNouns(), elsewhereNouns(), declareNouns(), newerNouns()),
		guestNoun(),
		aclNoun(),
		alertNoun(),
		clusterCIBNoun(),
		clusterConfNoun(),
		completionNoun(),
		configNoun(),
		backupNoun(),
		checkpointNoun(),
		constraintNoun(),
		importNoun(),
		manNoun(),
		nodeNoun(),
		propertyNoun(),
		quorumNoun(),
		reportNoun(),
		resourceNoun(),
		resourceConfigNoun(),
		agentsNoun(),
		fenceAgentsNoun(),
		resourceCreateNoun(),
		resourceGroupNoun(),
		resourceBundleNoun(),
		resourceMoveNoun(),
		relationsNoun(),
		restartNoun(),
		devicesNoun(),
		debugNoun(),
		safeDisableNoun(),
		relocateNoun(),
		failcountNoun("resource"),
		failcountNoun("stonith"),
		defaultsNoun("resource"),
		defaultsNoun("stonith"),
		statusNoun(),
		stonithNoun(),
		stonithConfigNoun(),
		tagNoun(),
	)...)
}

// join puts verbs of the same name together.
func join(list ...*verb) []*verb {
	var out []*verb
	for _, v := range list {
		at := slices.IndexFunc(out, func(have *verb) bool { return have.name == v.name })
		if at < 0 {
			out = append(out, v)
			continue
		}
		have := *out[at]
		have.what, have.args, have.bare = cmp.Or(have.what, v.what), cmp.Or(have.args, v.args), cmp.Or(have.bare, v.bare)
		have.aliases = append(slices.Clip(have.aliases), v.aliases...)
		have.options = append(slices.Clip(have.options), v.options...)
		if have.run == nil {
			have.run = v.run
		}
		have.sub = join(append(slices.Clone(have.sub), v.sub...)...)
		out[at] = &have
	}
	return out
}

// find returns the verb of that name, or nil.
func find(list []*verb, name string) *verb {
	for _, v := range list {
		if v.name == name || slices.Contains(v.aliases, name) {
			return v
		}
	}
	return nil
}

// names are those of verbs, with their aliases.
func names(list []*verb) []string {
	var all []string
	for _, v := range list {
		all = append(append(all, v.name), v.aliases...)
	}
	return all
}

// route is follow, and goes on to the verb that is meant where the words end before one.
func route(words []string) (path []string, at *verb, rest []string) {
	path, at, rest = follow(words)
	for len(rest) == 0 && at != nil && at.bare != "" && find(at.sub, at.bare) != nil {
		at = find(at.sub, at.bare)
		path = append(path, at.name)
	}
	return path, at, rest
}

// follow goes down the tree as far as words are names of it. path is what was followed, at is where it ends, nil at the
// top, and rest are the words behind.
func follow(words []string) (path []string, at *verb, rest []string) {
	list := nouns()
	for len(words) > 0 {
		v := find(list, words[0])
		if v == nil {
			break
		}
		path, at, list, words = append(path, v.name), v, v.sub, words[1:]
	}
	return path, at, words
}
