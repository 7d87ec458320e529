// Package housetest holds the rules of the house as tests: which package may import which, what the core
// must not touch, how large files may grow, and what the documents must mention.
//
// Each rule is a function from loaded packages to complaints, and is proved by a planted violation under
// testdata that it must catch. It has no code of its own outside tests.
package housetest
