//! The config file: YAML text in, sync jobs out, every problem with its place.
