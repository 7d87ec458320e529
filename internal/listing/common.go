package listing

// JSON writes a value as pcs does: on one line, a blank after each comma and colon.
func JSON(v any) Lines { return toJSON(v) }

// Shell quotes a word for a shell, where it needs it.
func Shell(s string) string { return shell(s) }
