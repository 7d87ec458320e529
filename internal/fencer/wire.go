package fencer

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// try is what one node asks of the fencer of another: use this device. It holds no parameters: each node has
// them from its own copy of the CIB, so secrets do not travel.
type try struct {
	V         int       `json:"v"`
	Epoch     cib.Epoch `json:"epoch"`
	Request   string    `json:"request"`
	Device    string    `json:"device"`
	Level     int       `json:"level,omitempty"`
	Target    string    `json:"target"`
	Action    string    `json:"action"` // off, reboot, on; "check": can it fence the target?
	TimeoutMS int64     `json:"timeout_ms,omitempty"`
	Phase     bool      `json:"phase,omitempty"` // part of a reboot that takes several devices
}

// answer is what became of a try. One of OK, Cannot and Error is set.
type answer struct {
	V        int            `json:"v"`
	OK       bool           `json:"ok,omitempty"`
	Cannot   string         `json:"cannot,omitempty"` // the device is not for this target, or not for this node
	Error    string         `json:"error,omitempty"`
	Evidence cib.Evidence   `json:"evidence,omitempty"`
	Power    bool           `json:"power,omitempty"` // what ran on the target has ended, not only its access to something
	Node     string         `json:"node,omitempty"`
	Tries    []cib.FenceTry `json:"tries,omitempty"`
}

const wireVersion = 1

func decodeTry(data []byte) (try, error) {
	var t try
	if err := json.Unmarshal(data, &t); err != nil {
		return try{}, fmt.Errorf("a fencing order that cannot be read: %w", err)
	}
	if t.V != wireVersion {
		return try{}, fmt.Errorf("a fencing order of version %d; this node knows %d", t.V, wireVersion)
	}
	if t.Device == "" || t.Target == "" {
		return try{}, fmt.Errorf("a fencing order without device or target")
	}
	switch t.Action {
	case "off", "reboot", "on", "check":
		return t, nil
	}
	return try{}, fmt.Errorf("a fencing order to %q: it is off, reboot, on or check", t.Action)
}

func decodeAnswer(data []byte) (answer, error) {
	var a answer
	if err := json.Unmarshal(data, &a); err != nil {
		return answer{}, fmt.Errorf("an answer to a fencing order that cannot be read: %w", err)
	}
	if a.V != wireVersion {
		return answer{}, fmt.Errorf("an answer of version %d to a fencing order", a.V)
	}
	if a.OK && (a.Cannot != "" || a.Error != "" || a.Evidence == "") {
		return answer{}, fmt.Errorf("an answer to a fencing order that contradicts itself")
	}
	return a, nil
}

// Serve carries out an order of another node's Fencer: the handler of Service.
func (f *Fencer) Serve(ctx context.Context, from string, req []byte) ([]byte, error) {
	t, err := decodeTry(req)
	if err != nil {
		return nil, err
	}
	if f.cfg.Admit != nil {
		if err := f.cfg.Admit(t.Epoch); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(f.base, func() { cancel(errStopped) })()
	f.cfg.Log.Info("fencing for another node", "from", from, "device", t.Device, "target", t.Target, "action", t.Action)
	a := f.serve(ctx, t)
	return json.Marshal(a)
}

// remote has another node carry out the try.
func (f *Fencer) remote(ctx context.Context, node string, t try, within time.Duration) (answer, error) {
	req, err := json.Marshal(t)
	if err != nil {
		return answer{}, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, within, errLate)
	defer cancel()
	type reply struct {
		data []byte
		err  error
	}
	got := make(chan reply, 1)
	f.wg.Go(func() {
		data, err := f.cfg.Remote(ctx, node, req)
		got <- reply{data, err}
	})
	watch := time.NewTicker(100 * time.Millisecond)
	defer watch.Stop()
	for {
		select {
		case r := <-got:
			if r.err != nil {
				return answer{}, r.err
			}
			return decodeAnswer(r.data)
		case <-ctx.Done():
			return answer{}, context.Cause(ctx)
		case <-watch.C:
			if !f.reachable(node) {
				return answer{}, fmt.Errorf("%s has fallen silent", node)
			}
		}
	}
}
