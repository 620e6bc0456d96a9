"""The tests of a spec, run on the code that serves mail, over stores in memory: no server, no network, no secrets."""
