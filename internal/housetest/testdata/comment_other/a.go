// This begins with other words than it should, though it is long enough to say something useful.
package comment_other // want
