"""MatrixMarket files, plain or compressed."""
