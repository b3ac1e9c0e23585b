"""The options that commands share: their declarations, the grammar of their values, and what they describe."""
