//! What only the emulator has: faults by script, a clock, counters, refusals of what the server would merely do slowly.

mod corpus;
mod counting;
mod faults;
mod nodes;
mod scans;
mod time;
mod witnesses;
