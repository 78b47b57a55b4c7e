"""What is kept on disk: snapshot files of checksummed blocks, written whole or not at all."""
