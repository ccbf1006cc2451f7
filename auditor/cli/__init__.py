"""Commands: parse, call, print. The only place that knows exit codes, the clock, the environment, the terminal."""
