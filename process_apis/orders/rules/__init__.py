"""Pure decisions of order flows: plain functions over Structs, without calls, clocks or chance."""
