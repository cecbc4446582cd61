"""The parts of tests/bench/report: what measures, and what draws. Reading order: table, parts, machine, servers, then the rest."""
