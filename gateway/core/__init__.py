"""The gateway's decisions without input or output: route, admit, account, problem."""
