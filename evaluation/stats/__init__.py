"""Statistics: arrays in, NamedTuple out; numpy and scipy only.

Five rooms, each used by what its `__init__` exports:

ratings     votes: mean scores, success rates, methods compared in pairs, models of votes, power
agreement   how far raters agree with each other and with themselves; raters who stand out
preference  strengths of methods from choices between two clips
meta        meta-evaluation: how far automatic metrics follow people, intervals, tests, rankings
composite   one metric learned from all others and the votes, and what it is worth

Beside them, for all: `intervals` (cluster bootstrap), `two_way_cluster` (standard errors where
raters and sources are both samples) with `leverage`, `multiplicity` (adjusted p-values),
`compact_letters`, and `long_table` (columns of long tables, checked).
"""
