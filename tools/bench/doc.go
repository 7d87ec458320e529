// Package bench measures whole runs of the command, and of crm_simulate beside it where it is installed.
//
// It owns the sizes that are measured and reports processor seconds and peak memory of the processes, in
// Go's benchmark format. It has no code of its own outside tests; `make bench` runs it.
package bench
