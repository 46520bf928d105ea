"""The exercises with their blanks filled in: look at them when you have written your own."""
