"""Jobs in a forked process that can be killed when one exceeds its limit of time or memory."""
