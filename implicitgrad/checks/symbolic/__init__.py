"""Judge claims with letters, as identities or wherever nonlinear equations hold."""
