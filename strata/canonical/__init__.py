"""The words that all layers share: frozen Structs without I/O."""
