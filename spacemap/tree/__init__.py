"""The data: columns, names, the tree and how it is built. numpy, no input or output."""
