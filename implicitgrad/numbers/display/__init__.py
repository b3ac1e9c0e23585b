"""The text of numbers on pages and in messages: fractions, decimals with the digits that are known, sums."""
