// Package comment_two has a second comment that is long enough to say what it owns and what it promises.
package comment_two // want
