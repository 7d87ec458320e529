// Package comment_short is short.
package comment_short // want
