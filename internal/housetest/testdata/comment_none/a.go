package comment_none // want
