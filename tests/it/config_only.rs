//! The tests of the config alone, while other modules do not compile.

mod config;
