// Package pure does what the core must not do.
package pure

import (
	_ "log/slog"  // want
	_ "math/rand" // want
	"os"          // want
	"time"
)

func now() time.Time { return time.Now() } // want

var later = time.Since // want

func allowed(t time.Time) time.Time { return t.Add(time.Second) }

func start() {
	go os.Exit(0)           // want
	time.Sleep(time.Second) // want
}
